import { Array as Arr, Duration, Either, Option } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { later } from "../base/Time.js"
import type { CommentTexts } from "../domain/CommentTexts.js"
import type { ItemId } from "../domain/Ids.js"
import { livingHtml } from "../domain/LivingComment.js"
import type { OrderedEvent } from "../domain/LivingFacts.js"
import { holds, isShown, withEvents } from "../domain/LivingFacts.js"
import type { Stage } from "../domain/Stage.js"
import type { Living } from "../outbox/Living.js"
import type { Owed, OwedEvent, Retried, Step } from "../outbox/Plan.js"
import type { Read } from "./ReadEvent.js"
import { read, unreadable } from "./ReadEvent.js"

/** How often the living comment of a work item is edited, at most, unless a gate fails or the task ends. */
export const editEvery = Duration.seconds(30)

/** How many living comments a work item gets: a person who has deleted two wants none. */
const mostLiving = 2

interface Planning {
  readonly texts: CommentTexts
  /** The stages of the project's tasks, in their order. */
  readonly pipeline: ReadonlyArray<Stage>
  /** A link's address as people reach it. */
  readonly linkAddress: (url: string) => Either.Either<string, unknown>
}

type Several = readonly [OwedEvent, ...Array<OwedEvent>]

/** Whether a moment is not so long ago. One in the future was set before the clock was put back: nobody knows. */
export const isWithin = (length: Duration.Duration, since: EpochMillis, now: EpochMillis): boolean =>
  since <= now && now < later(since, length)

const isStage = ({ event }: Read) => event._tag === "StageChanged"

const readable = (events: ReadonlyArray<OwedEvent>) => events.flatMap((one) => Option.toArray(read(one)))

/** The events that the living comment shows. */
const showable = (events: ReadonlyArray<OwedEvent>) => readable(events).filter(({ event }) => isShown(event))

const ordered = ({ event, owed }: Read): OrderedEvent => ({ sequence: owed.sequence, at: owed.occurredAt, event })

// A repetition, and a database that was lost, find the same comment.
const externalIdOf = ({ number }: Living, itemId: ItemId) => `living:${itemId}${number === 1 ? "" : `:${number}`}`

/** Makes the living comment show these events, and settles some of them. */
const edit = (
  { linkAddress, pipeline, texts }: Planning,
  { comments, lane, links, now }: Owed,
  itemId: ItemId,
  shown: readonly [Read, ...Array<Read>],
  settles: ReadonlyArray<OwedEvent>,
  insteadOf: number | undefined
): Step => {
  const { living } = lane
  // A question waits behind the stages before it, and somebody is to see it.
  const isUrgent = readable(comments).some((one) => !isStage(one)) || shown.some((one) => !isStage(one))
  if (!isUrgent && living.editedAt !== null && isWithin(editEvery, living.editedAt, now)) {
    return { _tag: "Wait", dueAt: later(living.editedAt, editEvery) }
  }
  const facts = withEvents(living.facts, shown.map(ordered))
  return {
    _tag: "Send",
    plan: {
      kind: living.comment === null ? "comment" : "recount",
      events: Arr.map(shown, (one) => one.owed),
      externalId: living.comment === null ? externalIdOf(living, itemId) : null,
      // Who publishes stages without a task may go another way.
      body: livingHtml(
        texts,
        facts,
        lane.ofTask ? pipeline : [],
        links.map((link) => ({ ...link, url: Either.getOrElse(linkAddress(link.url), () => link.url) }))
      ),
      failureKey: null,
      failures: 1,
      commentId: living.comment,
      living: { record: { ...living, facts }, settles },
      ...(insteadOf === undefined ? {} : { insteadOf })
    }
  }
}

const leave = (events: Several): Step => ({
  _tag: "LeaveUntold",
  events,
  reason: "a person has deleted the living comment twice, so it is not made anew"
})

const isLeftAlone = ({ lane }: Owed) => lane.living.number > mostLiving

/**
 * The next step for owed comments by the living comment: it shows all that is owed, and settles the changes of stages.
 * A failure or an end has a comment of its own as well (`own`), once the living comment shows it.
 */
export const livingStep = (
  config: Planning,
  owed: Owed,
  first: Read,
  itemId: ItemId,
  own: () => Step
): Step => {
  const shown = Arr.prepend(showable(owed.comments.slice(1)), first)
  const stages = shown.filter(isStage).map((one) => one.owed)
  if (!isStage(first)) {
    const step = own()
    if (step._tag !== "Send" || isLeftAlone(owed)) return step
    const tells = new Set(step.plan.events.map(({ sequence }) => sequence))
    const hasAll = shown.every((one) => !tells.has(one.owed.sequence) || holds(owed.lane.living.facts, ordered(one)))
    return hasAll ? step : edit(config, owed, itemId, shown, stages, undefined)
  }
  return isLeftAlone(owed) && Arr.isNonEmptyReadonlyArray(stages)
    ? leave(stages)
    : edit(config, owed, itemId, shown, stages, undefined)
}

/** The next step for a dead letter of the living comment, or of stages that it tells: all of it is shown anew. */
export const livingAgain = (
  config: Planning,
  owed: Owed,
  { delivery, events }: Retried,
  itemId: ItemId
): Step => {
  if (isLeftAlone(owed)) return leave(events)
  const shown = showable(events)
  return Arr.isNonEmptyArray(shown)
    ? edit(config, owed, itemId, shown, events, delivery.id)
    : unreadable(events[0])
}

/** Whether a retried delivery is told by the living comment. */
export const isLiving = (isSet: boolean, { delivery, events }: Retried): boolean =>
  delivery.living !== null ||
  (isSet && delivery.body === "" && events.every((one) => Option.exists(read(one), isStage)))
