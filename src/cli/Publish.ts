import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import { Console, Effect, Either, Layer, Option } from "effect"
import type { Issue } from "../base/Issue.js"
import { describeIssues } from "../base/Issue.js"
import { projectsLayer } from "../config/ProjectsConfig.js"
import type { Link } from "../domain/Link.js"
import { decodeEvent } from "../events/DecodeEvent.js"
import { StageEvents } from "../events/StageEvents.js"
import { Outbox } from "../outbox/Outbox.js"
import { Storage } from "../storage/Storage.js"
import { WakeUps } from "../storage/WakeUps.js"
import { lineOf } from "./Help.js"
import { keyArgument } from "./KeyArgument.js"
import { leaderNotice } from "./LeaderNotice.js"
import { linkOption } from "./LinkOption.js"
import { wrongUse } from "./WrongUse.js"

const text = (name: string, description: string) => Options.text(name).pipe(Options.withDescription(description))

const common = {
  key: keyArgument,
  id: text("id", "An idempotency key: the same event with the same id is a duplicate, not a second event").pipe(
    Options.optional
  ),
  at: text("at", "When it happened, in ISO 8601 with an offset; default: now").pipe(Options.optional),
  links: linkOption
}

type Optional = Option.Option<string>

const field = (name: string, value: Optional) =>
  Option.match(value, { onNone: () => ({}), onSome: (some) => ({ [name]: some }) })

interface Common {
  readonly key: { readonly written: string }
  readonly id: Optional
  readonly at: Optional
  readonly links: ReadonlyArray<Link>
}

const options: Readonly<Record<string, string>> = { id: "--id", occurredAt: "--at" }
const asOption = (issue: Issue): Issue => ({ ...issue, field: options[issue.field] ?? issue.field })

/** Stores the event, and prints its id. */
const commit = ({ at, id, key, links }: Common, event: Readonly<Record<string, unknown>>) =>
  Effect.gen(function*() {
    const given = {
      ...event,
      workItem: key.written,
      ...field("id", id),
      ...field("occurredAt", at),
      ...(links.length === 0 ? {} : { links })
    }
    const decoded = decodeEvent(given)
    if (Either.isLeft(decoded)) return yield* wrongUse(describeIssues(decoded.left.map(asOption)))
    const events = yield* StageEvents
    const receipt = yield* events.publishOrFail(decoded.right)
    yield* Console.log(receipt.id)
    if (receipt.duplicate) yield* Console.error("It was published before, with the same content: nothing was added.")
    yield* leaderNotice("the event")
  })

const stageChanged = Command.make(
  "stage-changed",
  {
    ...common,
    from: text("from", "The stage that the task left"),
    to: text("to", "The stage that the task is in now"),
    agent: text("agent", "The agent that is launched for the new stage").pipe(Options.optional),
    overruledBy: text("overruled-by", "Who changed the stage whatever its gates said, and why").pipe(Options.optional)
  },
  ({ agent, from, overruledBy, to, ...rest }) =>
    commit(rest, { type: "stage_changed", from, to, ...field("agent", agent), ...field("overruledBy", overruledBy) })
).pipe(Command.withDescription(lineOf("publish stage-changed")))

const gateFailed = Command.make(
  "gate-failed",
  {
    ...common,
    stage: text("stage", "The stage of the quality gate"),
    check: text("check", "The check that failed"),
    reason: text("reason", "Why it failed, in words for people"),
    sameAs: text("same-as", "Failures of a check with the same value are one failure, whatever their reasons").pipe(
      Options.optional
    )
  },
  ({ check, reason, sameAs, stage, ...rest }) =>
    commit(rest, { type: "quality_gate_failed", stage, check, reason, ...field("sameAs", sameAs) })
).pipe(Command.withDescription(lineOf("publish gate-failed")))

const completed = Command.make("completed", common, (options) => commit(options, { type: "task_completed" })).pipe(
  Command.withDescription(lineOf("publish completed"))
)

const questionAsked = Command.make(
  "question-asked",
  {
    ...common,
    question: text("question", "What is asked, in words for people"),
    agent: text("agent", "Who asks").pipe(Options.optional)
  },
  ({ agent, question, ...rest }) => commit(rest, { type: "question_asked", question, ...field("agent", agent) })
).pipe(Command.withDescription(lineOf("publish question-asked")))

// Neither Plane nor a token is needed: the event is kept until a `serve` sends it.
const publishing = StageEvents.layer.pipe(
  Layer.provideMerge(Outbox.layer),
  Layer.provide([projectsLayer, WakeUps.layer]),
  Layer.provideMerge(Storage.layer)
)

/** `plane-sync publish …`: stores an event. A `serve` on the same file notices it within a second. */
export const publish = Command.make("publish").pipe(
  Command.withSubcommands([stageChanged, gateFailed, completed, questionAsked]),
  Command.provide(publishing),
  Command.withDescription(lineOf("publish"))
)
