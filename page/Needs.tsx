import type { JSX } from "preact"
import { useState } from "preact/hooks"
import { discardAll, probeQuestion, probeWith, retryAll } from "./Acts.js"
import type { Question } from "./Ask.js"
import { Refused, token } from "./Client.js"
import { deadAt } from "./Route.js"
import { At, Away, Button, Prose, storyOf } from "./Text.js"
import type { Need, NeedAction, Overview } from "./Wire.js"
import { counted, duration, secondsSince } from "./Words.js"

/** Asks Plane, and says beside the button what it has said. */
const ProbeButton = ({ ask, isOff, label, look, read }: {
  readonly label: string
  readonly look: string
  readonly isOff: boolean
  readonly ask: (question: Question) => void
  readonly read: () => void
}): JSX.Element => {
  const [said, setSaid] = useState<string>()
  const [isRunning, setRunning] = useState(false)
  const run = async () => {
    setRunning(true)
    setSaid(undefined)
    try {
      setSaid(await probeWith(token.read()) ?? "Plane answers")
      read()
    } catch (error) {
      if (error instanceof Refused && (error.status === 401 || error.status === 403)) ask(probeQuestion(error.message))
      else setSaid(error instanceof Error ? error.message : "no answer")
    } finally {
      setRunning(false)
    }
  }
  return (
    <>
      <Button look={look} isOff={isOff || isRunning} does={() => void run()}>
        {isRunning ? "Asking Plane …" : label}
      </Button>
      <span class="said" role="status">{said}</span>
    </>
  )
}

const Action = ({ action, ask, isFirst, isOff, overview, read }: {
  readonly action: NeedAction
  readonly isFirst: boolean
  readonly isOff: boolean
  readonly overview: Overview
  readonly ask: (question: Question) => void
  readonly read: () => void
}): JSX.Element => {
  const look = isFirst ? "" : "quiet"
  switch (action._tag) {
    case "Open":
      return <Away url={action.url} look={`button ${look}`}>{action.label}</Away>
    case "Probe":
      return <ProbeButton {...{ ask, isOff, read, look }} label={action.label} />
    case "RetryLetters":
      return (
        <Button look={look} isOff={isOff} does={() => ask(retryAll(action.filter, action.count, overview))}>
          {action.label}
        </Button>
      )
    case "DiscardLetters":
      return (
        <Button look={look} isOff={isOff} does={() => ask(discardAll(action.filter, action.count))}>
          {action.label}
        </Button>
      )
    case "ShowLetters":
      return <a class={`button ${look}`} href={deadAt(action.filter)}>{action.label}</a>
  }
}

const Row = ({ ask, isOff, need, now, overview, read }: {
  readonly need: Need
  readonly now: number
  readonly isOff: boolean
  readonly overview: Overview
  readonly ask: (question: Question) => void
  readonly read: () => void
}): JSX.Element => (
  <li class="need" data-key={need.id}>
    <p class={`kind ${need.severity === "broken" ? "bad" : "wait"}`}>
      {need.label}
      {need.since === null ? null : (
        <span>
          since <At iso={need.since} now={now} /> <span class="long">{duration(secondsSince(need.since, now))}</span>
        </span>
      )}
    </p>
    <div>
      <h3>
        {need.workItem === null
          ? <Prose text={need.title} />
          : (
            <a href={storyOf(need.workItem.key)}>
              <Prose text={need.title} />
            </a>
          )}
      </h3>
      {need.evidence === null
        ? null
        : (
          <p class="evidence">
            {need.evidence.before} <span class="mono">{need.evidence.words}</span>
          </p>
        )}
      <p class="do">
        <Prose text={need.remedy} />
      </p>
    </div>
    <div class="actions">
      {need.actions.map((action, index) => (
        <Action
          key={`${action._tag}${action.label}`}
          isFirst={index === 0}
          {...{ action, ask, isOff, overview, read }}
        />
      ))}
    </div>
  </li>
)

/** What needs a person, the worst first. */
export const Needs = ({ ask, isOff, now, overview, read }: {
  readonly overview: Overview
  readonly now: number
  readonly isOff: boolean
  readonly ask: (question: Question) => void
  readonly read: () => void
}): JSX.Element => (
  <section class="panel" aria-labelledby="h-needs">
    <h2 id="h-needs" tabIndex={-1}>
      Needs you <span class="count">{overview.needsYou}</span>
    </h2>
    {overview.needs.length === 0
      ? (
        <div class="calm">
          <p>No question is open, no gate fails, no letter is dead.</p>
          <p class="muted">
            {overview.toldLastHour === 0
              ? "Nothing was told in the last hour. A work item appears below when Plane's webhook, an event or "
              : `${counted(overview.toldLastHour, "event was", "events were")} told in the last hour.`}
            {overview.toldLastHour === 0 ? <code>plane-sync task start</code> : null}
            {overview.toldLastHour === 0 ? " tells of it." : null}
          </p>
        </div>
      )
      : (
        <ol class="needs">
          {overview.needs.map((need) => <Row key={need.id} {...{ ask, isOff, need, now, overview, read }} />)}
        </ol>
      )}
  </section>
)
