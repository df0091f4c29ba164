import type { JSX } from "preact"
import { Facts } from "./Facts.js"
import type { Attempt, Node } from "./StoryNodes.js"
import { nodesOf } from "./StoryNodes.js"
import { At, Away } from "./Text.js"
import type { Board, Card, Item, Task, WorkItem } from "./Wire.js"
import { counted, duration, textOf, until } from "./Words.js"

const Attempts = ({ attempts, now }: {
  readonly attempts: ReadonlyArray<Attempt>
  readonly now: number
}): JSX.Element | null =>
  attempts.length === 0 ? null : (
    <table class="tries">
      <thead>
        <tr>
          <th>#</th>
          <th>Request</th>
          <th>Sent</th>
          <th>Answer</th>
          <th class="end">Took</th>
        </tr>
      </thead>
      <tbody>
        {attempts.map(({ answer, at, attempt, look, request, took }, index) => (
          <tr key={index}>
            <td>{attempt}</td>
            <td class="mono">{request}</td>
            <td>
              <At iso={at} now={now} seconds />
            </td>
            <td class={look}>{answer}</td>
            <td class="end nowrap">{took}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )

const Quote = ({ text }: { readonly text: string }): JSX.Element | null =>
  text === "" ? null : <blockquote>{text.split("\n").map((line, index) => <p key={index}>{line}</p>)}</blockquote>

const Entry = ({ node, now }: { readonly node: Node; readonly now: number }): JSX.Element => (
  <li class={node.look} data-key={node.key}>
    <At iso={node.at} now={now} seconds />
    <div>
      <h3>{node.title}{node.what === "" ? null : <span class="what">{node.what}</span>}</h3>
      <Quote text={node.quote} />
      <Attempts attempts={node.attempts} now={now} />
    </div>
  </li>
)

const Next = ({ item: { next }, now }: { readonly item: WorkItem; readonly now: number }): JSX.Element | null => {
  if (next.what === "nothing") return null
  return (
    <ol class="line" aria-label="What comes">
      <li class="is-next">
        <span class="when">{next.at === null ? "then" : until(next.at, now)}</span>
        <div>
          <h3>{next.line.charAt(0).toUpperCase() + next.line.slice(1)}</h3>
          {next.request === null || next.request.kind === "state" ? null : <Quote text={textOf(next.request.body)} />}
          {next.waits.length === 0
            ? null
            : <ul class="waits">{next.waits.map((wait) => <li key={wait}>It waits: {wait}</li>)}</ul>}
        </div>
      </li>
    </ol>
  )
}

const Path = ({ board, task }: { readonly board: Board | undefined; readonly task: Task }): JSX.Element => {
  const spent = new Map(task.receipt.stages.map((share) => [share.stage, share]))
  const stages = board?.stages.map(({ stage }) => stage) ?? task.receipt.stages.map(({ stage }) => stage)
  const here = stages.indexOf(task.stage)
  return (
    <ol class="path" aria-label="Stages, with the time spent in each">
      {stages.map((stage, index) => {
        const share = spent.get(stage)
        return (
          <li
            key={stage}
            class={index < here || task.status === "done" ? "was" : index === here ? "is" : ""}
            aria-current={index === here ? "step" : undefined}
          >
            <b>{stage}</b>
            {share === undefined ? null : duration(share.seconds)}
            {share === undefined || share.attempts < 2 ? null : `, ${share.attempts} ×`}
          </li>
        )
      })}
    </ol>
  )
}

const Summary = ({ card, item, now, task }: {
  readonly item: WorkItem
  readonly task: Task | undefined
  readonly card: Card | undefined
  readonly now: number
}): JSX.Element => {
  const failed = task?.verdicts.filter(({ stage, verdict }) => verdict === "failed" && stage === task.stage) ?? []
  const reached = task?.waiting.flatMap(({ reached }) => reached) ?? []
  return (
    <p>
      {task === undefined
        ? "It has no task: somebody else keeps its stages. "
        : (
          <>
            In {task.stage}
            {card === undefined ? null : (
              <>
                {" since "}
                <At iso={card.since} now={now} />
              </>
            )}
            {". "}
          </>
        )}
      {task === undefined || task.status === "active" ? null : (
        <>
          <b class={task.status === "done" ? undefined : "wait"}>It is {task.status}</b>
          {task.why === null ? ". " : `: ${task.why}. `}
        </>
      )}
      {failed.length === 0 ? null : (
        <>
          <b class="bad">{failed.map(({ gate }) => gate).join(" and ")} failed</b>
          {". "}
        </>
      )}
      {task === undefined || task.waiting.length === 0 ? null : (
        <>
          <b class="wait">It waits for {reached.length === 0 ? "somebody" : reached.join(", ")}</b>
          {". "}
        </>
      )}
      {item.owed === 0 ? "Plane was told all of it. " : `${counted(item.owed, "event is", "events are")} owed. `}
      {item.stateName === null ? null : `Its state in Plane is ${item.stateName}. `}
      {item.gone ? <b class="bad">{"It is deleted or archived in Plane. "}</b> : null}
      {item.problem === null ? null : <b class="wait">{item.problem}</b>}
    </p>
  )
}

/** What happened to one work item, and what comes. */
export const Story = ({ item, itemKey, now }: {
  readonly item: Item | string | undefined
  readonly itemKey: string
  readonly now: number
}): JSX.Element => {
  const found = typeof item === "object" ? item : undefined
  const card = found?.board?.stages.flatMap(({ cards }) => cards).find(({ key }) =>
    key === itemKey || key === found.task?.workItem
  )
  return (
    <>
      <a class="back" href="#/">← Now</a>
      <div class="story-head">
        <h1 tabIndex={-1}>
          <span class="muted">{itemKey}</span> {card?.name ?? ""}
        </h1>
        {found === undefined
          ? <p>{typeof item === "string" ? item : "Reading its story …"}</p>
          : <Summary item={found.workItem} task={found.task} {...{ card, now }} />}
        {card === undefined || card.url === null
          ? null
          : (
            <p class="links">
              <Away url={card.url}>Work item in Plane</Away>
            </p>
          )}
      </div>
      {found?.task === undefined ? null : <Path board={found.board} task={found.task} />}
      {found === undefined ? null : (
        <div class={found.task === undefined ? "story is-alone" : "story"}>
          <section class="panel" aria-labelledby="h-story">
            <h2 id="h-story">
              Story <span class="count">the newest first; what comes is on top</span>
            </h2>
            <Next item={found.workItem} now={now} />
            <p class="now-line">
              <span class="when">now</span>
              <span>
                {found.workItem.next.what === "nothing"
                  ? "nothing is owed"
                  : counted(found.workItem.owed, "event is owed", "events are owed")}
              </span>
            </p>
            <ol class="line" aria-label="What happened, the newest first">
              {nodesOf(found.workItem).map((node) => <Entry key={node.key} {...{ node, now }} />)}
            </ol>
          </section>
          <Facts item={found} {...{ card, now }} />
        </div>
      )}
    </>
  )
}
