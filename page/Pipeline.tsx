import type { JSX } from "preact"
import { useEffect, useState } from "preact/hooks"
import { At, Away, Button, storyOf } from "./Text.js"
import type { Board, Card, Column } from "./Wire.js"
import { duration, number, secondsSince } from "./Words.js"

const reasons: Readonly<Record<string, string>> = {
  asked: "asks a question",
  gate_failed: "a gate keeps failing",
  patience: "takes too long",
  ceiling: "is over a ceiling",
  dead_letter: "could not be told"
}

const waitWords = ({ reached, reason }: Card["waitsFor"][number]): string =>
  reached.length > 0 ? `waits for ${reached.join(", ")}` : reasons[reason] ?? "waits for somebody"

const isOver = (card: Card, now: number) =>
  card.status === "active" && card.patienceSeconds !== null && secondsSince(card.since, now) > card.patienceSeconds

const Patience = ({ card, now }: { readonly card: Card; readonly now: number }): JSX.Element => {
  const { patienceSeconds: patience } = card
  const spent = Math.max(0, secondsSince(card.since, now))
  if (patience === null) return <p class="time">{duration(spent)}</p>
  const words = `${duration(spent)} of ${duration(patience)}`
  const look = spent > patience ? "is-over" : spent > 0.85 * patience ? "is-near" : undefined
  return (
    <>
      <progress max={patience} value={Math.min(spent, patience)} class={look} aria-label={`${card.key}: ${words}`} />
      <p class="time">{words}</p>
    </>
  )
}

/** What a card tells in words beside its colour. */
const marksOf = (card: Card, now: number): ReadonlyArray<{ readonly look: string; readonly words: string }> => [
  ...(card.failedGate === null ? [] : [{
    look: "is-bad",
    words: `${card.failedGate.gate} failed${card.failedGate.times > 1 ? ` ${card.failedGate.times} ×` : ""}`
  }]),
  ...(isOver(card, now) ? [{ look: "is-bad", words: "over its patience" }] : []),
  ...card.waitsFor.map((wait) => ({ look: "is-wait", words: waitWords(wait) })),
  ...(card.status === "active" || card.status === "done" ? [] : [{
    look: "",
    words: card.why === null ? card.status : `${card.status}: ${card.why}`
  }]),
  ...(card.behind === 0 ? [] : [{ look: "", words: `${number(card.behind)} behind` }])
]

const CardView = ({ card, now }: { readonly card: Card; readonly now: number }): JSX.Element => {
  const marks = marksOf(card, now)
  const look = marks.some(({ look }) => look === "is-bad")
    ? "is-bad"
    : marks.some(({ look }) => look === "is-wait")
    ? "is-wait"
    : ""
  return (
    <li data-key={card.key}>
      <article class={`card ${look}`}>
        <header>
          <Away url={card.url} label={`${card.key} in Plane`}>{card.key}</Away>
          <span class="agent">{card.agent ?? "no agent"}</span>
        </header>
        <h4>
          <a href={storyOf(card.key)}>{card.name ?? `Story of ${card.key}`}</a>
        </h4>
        <Patience {...{ card, now }} />
        {marks.length === 0 ?
          null :
          <p class="marks">{marks.map(({ look, words }) => <span key={words} class={`mark ${look}`}>{words}</span>)}
          </p>}
      </article>
    </li>
  )
}

const DoneView = ({ card, now }: { readonly card: Card; readonly now: number }): JSX.Element => (
  <li data-key={card.key}>
    <header>
      <Away url={card.url} label={`${card.key} in Plane`}>{card.key}</Away>
      <At iso={card.since} now={now} />
    </header>
    <a class="name" href={storyOf(card.key)}>{card.name ?? `Story of ${card.key}`}</a>
  </li>
)

/** Cards of a column that are drawn at once. The rest follows piece by piece, so that the page never hangs. */
const atOnce = 8

/** How many cards of each column are drawn by now. */
const useGrowing = (most: number): number => {
  const [drawn, setDrawn] = useState(atOnce)
  useEffect(() => {
    if (drawn >= most) return
    const timer = setTimeout(() => setDrawn(drawn + atOnce), 0)
    return () => clearTimeout(timer)
  }, [drawn, most])
  return drawn
}

const ColumnView = ({ column, drawn, isLast, more, now }: {
  readonly column: Column
  readonly drawn: number
  readonly isLast: boolean
  readonly now: number
  readonly more: (stage: string) => void
}): JSX.Element => {
  const { count, nextCursor, stage } = column
  const left = count - column.cards.length
  const cards = column.cards.slice(0, drawn)
  return (
    <li>
      <h3>
        {stage}{" "}
        <span>
          {number(count)}
          <span class="hidden">{count === 1 ? " work item" : " work items"}</span>
        </span>
      </h3>
      {cards.length === 0 ?
        (
          <p class="none">
            <span aria-hidden="true">–</span>
          </p>
        ) :
        isLast
        ? <ul class="done">{cards.map((card) => <DoneView key={card.key} {...{ card, now }} />)}</ul>
        : <ul class="cards">{cards.map((card) => <CardView key={card.key} {...{ card, now }} />)}</ul>}
      {nextCursor === null ? null : (
        <p class="none">
          <Button look="quiet" does={() => more(stage)}>
            {`${number(Math.min(50, left))} more of all ${number(count)}`}
          </Button>
        </p>
      )}
    </li>
  )
}

/** Where everything of a project is: a column for each stage, a card for each work item. */
export const Pipeline = ({ board, choose, find, more, now }: {
  readonly board: Board
  readonly find: string
  readonly now: number
  readonly choose: (change: { readonly project?: string; readonly find?: string }) => void
  readonly more: (stage: string) => void
}): JSX.Element => {
  const drawn = useGrowing(Math.max(...board.stages.map(({ cards }) => cards.length)))
  return (
    <section id="pipeline" aria-labelledby="h-pipeline">
      <div class="section-head">
        <h2 id="h-pipeline" tabIndex={-1}>
          Pipeline{" "}
          <span class="count">
            {number(board.underWay)} {board.underWay === 1 ? "work item" : "work items"} on{" "}
            {board.underWay === 1 ? "its" : "their"} way, {number(board.doneToday)} done in 24 hours
          </span>
        </h2>
        <div class="filter">
          {board.projects.length < 2 ? null : board.projects.length < 6
            ? (
              <div class="tabs" role="group" aria-label="Project">
                {board.projects.map((project) => (
                  <button
                    key={project}
                    type="button"
                    aria-pressed={project === board.project}
                    onClick={() => choose({ project })}
                  >
                    {project}
                  </button>
                ))}
              </div>
            )
            : (
              <label>
                Project{" "}
                <select value={board.project} onChange={(event) => choose({ project: event.currentTarget.value })}>
                  {board.projects.map((project) => <option key={project} value={project}>{project}</option>)}
                </select>
              </label>
            )}
          <label>
            Find{" "}
            <input
              type="search"
              size={18}
              placeholder="key, name, agent"
              value={find}
              onInput={(event) => choose({ find: event.currentTarget.value })}
            />
          </label>
        </div>
      </div>
      {board.underWay === 0 && find === "" && board.stages.every(({ count }) => count === 0)
        ? (
          <p class="first">
            No task yet. Move a work item in Plane to the state that starts one, or run{" "}
            <code>plane-sync task start {board.project}-1</code>.
          </p>
        )
        : null}
      <ol class="stages" tabIndex={0} role="list" aria-label={`Stages of ${board.project}`}>
        {board.stages.map((column, index) => (
          <ColumnView key={column.stage} isLast={index === board.stages.length - 1} {...{ column, drawn, more, now }} />
        ))}
      </ol>
    </section>
  )
}
