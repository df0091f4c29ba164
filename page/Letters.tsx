import type { JSX } from "preact"
import { discardAll, discardOne, retryAll, retryOne } from "./Acts.js"
import type { Question } from "./Ask.js"
import type { Chosen } from "./Route.js"
import { deadAt } from "./Route.js"
import { At, Button, storyOf } from "./Text.js"
import type { Filter, Letter, Letters as Page, Overview } from "./Wire.js"
import { codeWords, counted, number, textOf } from "./Words.js"

const kinds: Readonly<Record<string, string>> = { comment: "comment", recount: "edit of a comment", state: "state" }

const Row = ({ ask, isOff, letter, now, overview }: {
  readonly letter: Letter
  readonly now: number
  readonly isOff: boolean
  readonly overview: Overview
  readonly ask: (question: Question) => void
}): JSX.Element => (
  <tr data-key={letter.id}>
    <td>
      <a class="name" href={storyOf(letter.workItem)}>
        <b>{letter.workItem}</b> {kinds[letter.kind] ?? letter.kind}
        {letter.kind === "state" || letter.body === "" ? null : <span class="quote">{textOf(letter.body)}</span>}
      </a>
    </td>
    <td class="wide">
      <span class="mono">{letter.reason}</span>
      <span class="muted">
        {codeWords[letter.code] ?? letter.code}
        {letter.answer === null ? null : `, answered ${letter.answer}`}
        {`, ${counted(letter.attempts, "attempt", "attempts")}`}
      </span>
    </td>
    <td class="when">
      <At iso={letter.settledAt} now={now} />
    </td>
    <td class="end">
      <Button look="quiet" isOff={isOff} does={() => ask(retryOne(letter, overview))}>
        Retry<span class="hidden">{` letter ${letter.id} of ${letter.workItem}`}</span>
      </Button>
      <Button look="quiet" isOff={isOff} does={() => ask(discardOne(letter))}>
        Discard<span class="hidden">{` letter ${letter.id} of ${letter.workItem}`}</span>
      </Button>
    </td>
  </tr>
)

const change = (chosen: Chosen) => {
  location.hash = deadAt(chosen)
}

/** Those that came after a person has looked are not meant. */
const upTo = (filter: Filter, { deliveries }: Page): Filter => ({
  ...filter,
  upTo: deliveries.reduce((newest, { id }) => Math.max(newest, id), 0)
})

/** What could not be told, with what the program can do about all of it that matches. */
export const Letters = ({ ask, chosen, filter, isOff, letters, more, now, overview }: {
  readonly letters: Page
  readonly filter: Filter
  readonly chosen: Chosen
  readonly now: number
  readonly isOff: boolean
  readonly overview: Overview
  readonly ask: (question: Question) => void
  readonly more: () => void
}): JSX.Element => {
  const { deliveries, nextCursor, total } = letters
  const isGiven = chosen.since !== "" && !["hour", "day"].includes(chosen.since)
  return (
    <section id="dead" aria-labelledby="h-dead">
      <div class="section-head">
        <h2 id="h-dead" tabIndex={-1}>
          Dead letters <span class="count">{number(overview.dead)}</span>
        </h2>
        <div class="filter">
          <label>
            Reason{" "}
            <select
              value={chosen.code}
              onChange={(event) => change({ ...chosen, code: event.currentTarget.value })}
            >
              <option value="">any</option>
              {Object.entries(codeWords).map(([code, words]) => <option key={code} value={code}>{words}</option>)}
            </select>
          </label>
          <label>
            Project{" "}
            <select
              value={chosen.project === undefined ? "*" : chosen.project}
              onChange={({ currentTarget: { value } }) =>
                change({ ...chosen, project: value === "*" ? undefined : value })}
            >
              <option value="*">all</option>
              {overview.projects.map(({ project }) => <option key={project} value={project}>{project}</option>)}
              <option value="">none of them</option>
            </select>
          </label>
          <label>
            Given up{" "}
            <select
              value={chosen.since}
              onChange={(event) => change({ ...chosen, since: event.currentTarget.value, until: "" })}
            >
              <option value="">at any time</option>
              <option value="hour">in the last hour</option>
              <option value="day">in the last 24 hours</option>
              {isGiven ? <option value={chosen.since}>since then</option> : null}
            </select>
          </label>
        </div>
      </div>
      {total === 0
        ? (
          <p class="first">
            {overview.dead === 0 ? "No letter is dead." : `None of the ${number(overview.dead)} matches.`}
          </p>
        )
        : (
          <div class="panel">
            <div class="bulk">
              <p>
                <b>{counted(total, "matches", "match")}</b>{" "}
                <span class="muted">Retried, each has all its attempts again, in the order of its work item.</span>
              </p>
              <Button isOff={isOff} does={() => ask(retryAll(upTo(filter, letters), total, overview))}>
                {total === 1 ? "Retry the one that matches" : `Retry all ${number(total)} that match`}
              </Button>
              <Button isOff={isOff} look="quiet" does={() => ask(discardAll(upTo(filter, letters), total))}>
                {total === 1 ? "Discard it" : `Discard all ${number(total)}`}
              </Button>
            </div>
            <table class="rows">
              <thead>
                <tr>
                  <th>Work item</th>
                  <th>Why</th>
                  <th>Given up</th>
                  <th class="end">One alone</th>
                </tr>
              </thead>
              <tbody>
                {deliveries.map((letter) => <Row key={letter.id} {...{ ask, isOff, letter, now, overview }} />)}
              </tbody>
            </table>
            {nextCursor === null ? null : (
              <p class="more">
                {number(deliveries.length)} of {number(total)} are shown.{" "}
                <Button look="quiet" does={more}>Show {Math.min(20, total - deliveries.length)} more</Button>
              </p>
            )}
          </div>
        )}
    </section>
  )
}
