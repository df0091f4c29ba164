import { Either, Schema } from "effect"
import { describeParseError } from "../base/Issue.js"
import { ItemId } from "../domain/Ids.js"
import type { PlaneMoment } from "../domain/PlaneMoment.js"
import { PlaneMomentText } from "../domain/PlaneMoment.js"
import type { StateId } from "../domain/StageStates.js"
import { PlaneStateId } from "../domain/StageStates.js"
import { externalSource } from "../plane/PlaneClient.js"

/** What a hook of Plane says of a work item: the state it was in when the hook was sent. */
export interface WorkItemSeen {
  readonly _tag: "WorkItemSeen"
  readonly itemId: ItemId
  /** Plane's uuid of its project. */
  readonly project: string
  readonly number: number
  readonly stateId: StateId
  /** backlog, unstarted, started, completed or cancelled; none if the hook does not tell. */
  readonly stateGroup: string | undefined
  /** When Plane last changed it. */
  readonly updatedAt: PlaneMoment
  /** The hook was sent because of another change than that of the state. */
  readonly isAside: boolean
}

/** A hook that says nothing about a state. */
export interface Nothing {
  readonly _tag: "Nothing"
  readonly reason: string
}

const State = Schema.Union(
  PlaneStateId,
  Schema.Struct({ id: PlaneStateId, group: Schema.optional(Schema.NullOr(Schema.String)) })
)

// Plane's objects grow with every release, so only what is needed is decoded. Community's bodies ("v1") have the state
// as an object, and call its field `state` or `state_id` depending on who moved it; the snapshot is the same. Cloud's
// ("v2") may name the two references by their ids.
const Data = Schema.Struct({
  id: Schema.String,
  sequence_id: Schema.Int,
  project: Schema.optional(Schema.String),
  project_id: Schema.optional(Schema.String),
  state: Schema.optional(Schema.NullOr(State)),
  state_id: Schema.optional(Schema.NullOr(PlaneStateId)),
  updated_at: PlaneMomentText
})

const Envelope = Schema.parseJson(Schema.Struct({
  event: Schema.String,
  action: Schema.optional(Schema.Unknown),
  activity: Schema.optional(Schema.Unknown),
  previous_attributes: Schema.optional(Schema.Unknown),
  data: Schema.Unknown
}))
const StateActivity = Schema.Struct({ field: Schema.Literal("state", "state_id") })
const Comment = Schema.Struct({ external_source: Schema.optional(Schema.NullOr(Schema.String)) })

const isStateActivity = Schema.is(StateActivity)
const isComment = Schema.is(Comment)
const decodeEnvelope = Schema.decodeUnknownEither(Envelope)
const decodeData = Schema.decodeUnknownEither(Data, { errors: "all" })

const nothing = (reason: string): Nothing => ({ _tag: "Nothing", reason })

const namesState = (attributes: object) => "state" in attributes || "state_id" in attributes

/** Only "v1" has an activity, and only "v2" has the earlier values of what was changed. */
const isOfAnother = ({ activity, previous_attributes: previous }: typeof Envelope.Type) =>
  activity !== undefined && activity !== null
    ? !isStateActivity(activity)
    : typeof previous === "object" && previous !== null && !namesState(previous)

/** What a body says, or (left) why it cannot be read. */
export const decodePlaneHook = (body: string): Either.Either<WorkItemSeen | Nothing, string> =>
  Either.flatMap(Either.mapLeft(decodeEnvelope(body), describeParseError), (envelope) => {
    const { action, data, event } = envelope
    if (/comment/i.test(event)) {
      const ours = isComment(data) && data.external_source === externalSource
      return Either.right(nothing(ours ? "a comment of plane-sync's own" : "a comment moves nothing"))
    }
    // "issue" with an action and, of "v2", "workitem.updated".
    const [, verb = action ?? "updated"] = /^(?:issue|work_?item)(?:\.(\w+))?$/i.exec(event) ?? [event, "other"]
    if (verb !== "created" && verb !== "updated") {
      return Either.right(nothing(`the event ${JSON.stringify(event.slice(0, 80))} moves nothing`))
    }
    const isAside = verb === "updated" && isOfAnother(envelope)
    return Either.flatMap(Either.mapLeft(decodeData(data), describeParseError), (data) => seenIn(data, isAside))
  })

const seenIn = (data: typeof Data.Type, isAside: boolean): Either.Either<WorkItemSeen | Nothing, string> => {
  const project = data.project ?? data.project_id
  if (project === undefined) return Either.left("project: is missing")
  const state = data.state ?? data.state_id
  if (state === null || state === undefined) return Either.right(nothing("it names no state"))
  return Either.right({
    _tag: "WorkItemSeen",
    itemId: ItemId(data.id),
    project: project.toLowerCase(),
    number: data.sequence_id,
    stateId: typeof state === "string" ? state : state.id,
    stateGroup: typeof state === "string" ? undefined : state.group ?? undefined,
    updatedAt: data.updated_at,
    isAside
  })
}
