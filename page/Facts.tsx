import type { ComponentChildren, JSX } from "preact"
import { At, Away } from "./Text.js"
import type { Card, Item, Task } from "./Wire.js"
import { duration, number, secondsSince } from "./Words.js"

const Fact = ({ children, name }: { readonly name: string; readonly children: ComponentChildren }): JSX.Element => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
)

const Gates = ({ now, task }: { readonly task: Task; readonly now: number }): JSX.Element | null => {
  const verdicts = task.verdicts.filter(({ stage }) => stage === task.stage)
  return verdicts.length === 0 ? null : (
    <section class="panel" aria-labelledby="h-gates">
      <h2 id="h-gates">Gates of {task.stage}</h2>
      <dl class="facts">
        {verdicts.map(({ at, gate, reason, verdict }) => (
          <Fact key={gate} name={gate}>
            <b class={verdict === "failed" ? "bad" : undefined}>{verdict}</b>
            {reason === null ? null : `: ${reason}`}
            <small>
              since <At iso={at} now={now} />
            </small>
          </Fact>
        ))}
      </dl>
    </section>
  )
}

const Waiting = ({ now, task }: { readonly task: Task; readonly now: number }): JSX.Element | null =>
  task.waiting.length === 0 ? null : (
    <section class="panel" aria-labelledby="h-waits">
      <h2 id="h-waits">Waits for somebody</h2>
      <dl class="facts">
        {task.waiting.map(({ agent, escalateAt, id, openedAt, question, reached }) => (
          <Fact key={id} name={reached.length === 0 ? "anybody" : reached.join(", ")}>
            {agent === null ? null : `${agent}: `}
            {question}
            <small>
              since <At iso={openedAt} now={now} />
              {escalateAt === null ? null : (
                <>
                  ; the next one is asked at <At iso={escalateAt} now={now} />
                </>
              )}
            </small>
          </Fact>
        ))}
      </dl>
    </section>
  )

const Agent = ({ card, now, task }: {
  readonly task: Task
  readonly card: Card | undefined
  readonly now: number
}): JSX.Element => {
  const patience = card?.patienceSeconds ?? null
  const spent = card === undefined ? 0 : Math.max(0, secondsSince(card.since, now))
  const words = patience === null ? duration(spent) : `${duration(spent)} of ${duration(patience)}`
  return (
    <section class="panel" aria-labelledby="h-agent">
      <h2 id="h-agent">At {task.stage}</h2>
      <dl class="facts">
        <Fact name="agent">
          {task.agent ?? "none"}
          {task.launch === null ? null : (
            <small>
              {task.launch.state} since <At iso={task.launch.since} now={now} />
              {task.launch.position === null ? null : `, number ${task.launch.position} of those that wait`}
            </small>
          )}
          {task.paused === null ? null : <small>{task.paused.by} has written /pause: no agent is launched</small>}
        </Fact>
        {card === undefined ? null : (
          <Fact name={patience === null ? "time" : "patience"}>
            {words}
            {patience === null
              ? null
              : <progress max={patience} value={Math.min(spent, patience)} aria-label={`Patience: ${words}`} />}
          </Fact>
        )}
      </dl>
    </section>
  )
}

const SoFar = ({ task: { receipt } }: { readonly task: Task }): JSX.Element => {
  const { costUsd, inputTokens, outputTokens } = receipt.usage
  return (
    <section class="panel" aria-labelledby="h-far">
      <h2 id="h-far">So far</h2>
      <dl class="facts">
        <Fact name="time">
          {duration(receipt.seconds)}
          <small>while it was active</small>
        </Fact>
        <Fact name="failed gates">{number(receipt.failedGates)}</Fact>
        {receipt.pullRequests.length === 0 ? null : <Fact name="for it">{receipt.pullRequests.join(", ")}</Fact>}
        {inputTokens === null && outputTokens === null && costUsd === null ? null : (
          <Fact name="tokens">
            {number(inputTokens ?? 0)} in, {number(outputTokens ?? 0)} out
            {costUsd === null ? null : <small>$ {costUsd.toFixed(2)}, over all attempts</small>}
          </Fact>
        )}
      </dl>
    </section>
  )
}

/** What stands beside a story. */
export const Facts = ({ card, item: { task }, now }: {
  readonly item: Item
  readonly card: Card | undefined
  readonly now: number
}): JSX.Element | null =>
  task === undefined ? null : (
    <div class="aside">
      <Waiting {...{ now, task }} />
      <Gates {...{ now, task }} />
      <Agent {...{ card, now, task }} />
      {task.links.length === 0 ? null : (
        <section class="panel" aria-labelledby="h-links">
          <h2 id="h-links">Links</h2>
          <dl class="facts">
            {task.links.map(({ givenUp, inPlane, kind, title, url }) => (
              <Fact key={`${kind} ${url}`} name={kind}>
                <Away url={url}>{title}</Away>
                {inPlane ? null : <small>{givenUp ?? "not in Plane yet"}</small>}
              </Fact>
            ))}
          </dl>
        </section>
      )}
      <SoFar task={task} />
    </div>
  )
