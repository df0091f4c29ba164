import { Either, Option, Schema } from "effect"
import { describeParseError } from "../base/Issue.js"
import { cleanLine, textLimit } from "../base/Text.js"
import type { CommentId, ItemId } from "../domain/Ids.js"
import { PlaneCommentId, PlaneItemId, UserId } from "../domain/Ids.js"
import type { PlaneMoment } from "../domain/PlaneMoment.js"
import { PlaneMomentText } from "../domain/PlaneMoment.js"
import { PlaneStateId, StateId } from "../domain/StageStates.js"
import { externalSource } from "../plane/PlaneClient.js"
import type { MarksSeen } from "./MarksSeen.js"
import { marksSeen } from "./MarksSeen.js"

/** What a hook of Plane says of a work item: the state it was in when the hook was sent. */
export interface WorkItemSeen {
  readonly _tag: "WorkItemSeen"
  readonly itemId: ItemId
  /** Plane's uuid of its project. */
  readonly project: string
  readonly number: number
  /** How Plane calls it; none if the hook does not tell. */
  readonly title: string | undefined
  readonly stateId: StateId
  /** backlog, unstarted, started, completed or cancelled; none if the hook does not tell. */
  readonly stateGroup: string | undefined
  /** As people read it; none if the hook does not tell. */
  readonly stateName: string | undefined
  /** Who has made the change, as people read it; none if the hook does not tell. */
  readonly who: string | undefined
  /** The uuid of who has made it; none if the hook does not tell. */
  readonly by: UserId | undefined
  /** It was made by Plane's API, and not in its pages: these call the field `state_id`. */
  readonly isByApi: boolean
  /**
   * The state that it was moved to. Another change at the same moment may have undone that, so this alone is not
   * believed. None if the hook is about another change.
   */
  readonly movedTo: StateId | undefined
  /** When Plane last changed it. */
  readonly updatedAt: PlaneMoment
  /** The hook was sent because of another change than that of the state. */
  readonly isAside: boolean
  /** The work item was created in this state. */
  readonly isNew: boolean
  /** What it says of labels and assignees, if it is about these. */
  readonly marks: ReadonlyArray<MarksSeen>
}

/** A comment that somebody has just made, which may be a command. What was edited is none. */
export interface CommentSeen {
  readonly _tag: "CommentSeen"
  readonly commentId: CommentId
  readonly itemId: ItemId
  /** Plane's uuid of its project. */
  readonly project: string
  /** What `people/CommentText.ts` reads. */
  readonly html: string
  /** The user who has made it, lower case. The hook's actor: the comment's own fields may be chosen by who sends it. */
  readonly by: UserId
  /** The same, as people read it; none if the hook does not tell. */
  readonly who: string | undefined
  /** When it was made. */
  readonly createdAt: PlaneMoment
}

/** A hook that says nothing about a state. */
export interface Nothing {
  readonly _tag: "Nothing"
  readonly reason: string
  /** What it is about, in a few words: "issue_comment updated". Hooks of one kind are counted together. */
  readonly kind: string
}

const State = Schema.Union(
  PlaneStateId,
  Schema.Struct({
    id: PlaneStateId,
    name: Schema.optional(Schema.NullOr(Schema.String)),
    group: Schema.optional(Schema.NullOr(Schema.String))
  })
)

// Plane's objects grow with every release, so only what is needed is decoded. Community's bodies ("v1") have the state
// as an object, and call its field `state` or `state_id` depending on who moved it; the snapshot is the same. Cloud's
// ("v2") may name the two references by their ids. Before 0.28 the body is that of "v1".
const Data = Schema.Struct({
  id: PlaneItemId,
  sequence_id: Schema.Int,
  name: Schema.optional(Schema.Unknown),
  project: Schema.optional(Schema.String),
  project_id: Schema.optional(Schema.String),
  state: Schema.optional(Schema.NullOr(State)),
  state_id: Schema.optional(Schema.NullOr(PlaneStateId)),
  updated_at: PlaneMomentText
})

const Text = Schema.optional(Schema.NullOr(Schema.String))

const Envelope = Schema.parseJson(Schema.Struct({
  event: Text,
  entity_type: Text,
  action: Schema.optional(Schema.Unknown),
  activity: Schema.optional(Schema.Unknown),
  previous_attributes: Schema.optional(Schema.Unknown),
  data: Schema.Unknown
}))
const Activity = Schema.Struct({
  field: Schema.optional(Schema.Unknown),
  new_value: Schema.optional(Schema.Unknown),
  actor: Schema.optional(Schema.Unknown)
})
const Actor = Schema.Struct({ display_name: Schema.NonEmptyTrimmedString })
const Identified = Schema.Struct({ id: Schema.UUID })
const Comment = Schema.Struct({ external_source: Schema.optional(Schema.NullOr(Schema.String)) })
const NewComment = Schema.Struct({
  id: PlaneCommentId,
  issue: PlaneItemId,
  project: Schema.String,
  comment_html: Schema.String,
  created_at: PlaneMomentText,
  // A hook shows what is there when it is made, a second after the comment. Whoever has edited it by then, which anybody
  // with an API token may do, is named here; who has made it is not.
  updated_by: Schema.optional(Schema.Null),
  edited_at: Schema.optional(Schema.Null)
})

const isActivity = Schema.is(Activity)
const isActor = Schema.is(Actor)
const isIdentified = Schema.is(Identified)
const isUuid = Schema.is(Schema.UUID)
const isComment = Schema.is(Comment)
const decodeNewComment = Schema.decodeUnknownOption(NewComment)
const decodeEnvelope = Schema.decodeUnknownEither(Envelope)
const decodeData = Schema.decodeUnknownEither(Data, { errors: "all" })

const nothing = (reason: string, kind: string): Nothing => ({ _tag: "Nothing", reason, kind })

const namesField = (activity: unknown) =>
  isActivity(activity) && activity.field !== undefined && activity.field !== null && activity.field !== ""

const namesState = (attributes: object) => "state" in attributes || "state_id" in attributes

/**
 * The hook is about another change than one of the state. Only "v1" has an activity, and only "v2" has the earlier
 * values of what was changed. Before 0.28 a work item that is added to a module is "created", with "modules" as field:
 * so a work item is new only if no field is named.
 */
const isOfAnother = ({ activity, previous_attributes: previous }: typeof Envelope.Type, verb: string) => {
  if (!isActivity(activity)) {
    return verb === "updated" && typeof previous === "object" && previous !== null && !namesState(previous)
  }
  const { field } = activity
  return namesField(activity) ? field !== "state" && field !== "state_id" : verb === "updated"
}

/** Both spellings of what was done, as one. */
const verbs: Readonly<Record<string, string>> = {
  create: "created",
  created: "created",
  update: "updated",
  updated: "updated",
  delete: "deleted",
  deleted: "deleted"
}

/** Newer ones send the name of the member of an enumeration, as Python prints it. */
const printed = /^.*\bScopeChoices\./i

/** A name of Plane's in a few harmless characters. */
const plain = (name: string) => name.replace(printed, "").replace(/[^\w.-]+/g, " ").trim().slice(0, 40).toLowerCase()

interface About {
  readonly thing: string
  readonly verb: string | undefined
}

/** "issue", "workitem.updated" of "v2", "WebhookScope.ScopeChoices.WORK_ITEM_UPDATED" of newer ones: thing and verb. */
const aboutOf = (name: string): About => {
  const all = plain(name)
  const [, thing = all, last = ""] = /^(.+)[._]([a-z]+)$/.exec(all) ?? []
  const verb = verbs[last]
  return verb === undefined ? { thing: all, verb } : { thing, verb }
}

/**
 * What a hook is about. Where `event` does not tell that, the type of the entity does, and where the body does not, the
 * header.
 */
const subjectOf = ({ action, entity_type: entity, event }: typeof Envelope.Type, header: string): About => {
  const named = (name: string | null | undefined) => name === undefined || name === null ? [] : [aboutOf(name)]
  const [ofEvent, ofEntity, ofHeader] = [named(event), named(entity), named(header)]
  const known = [...ofEvent, ...ofEntity].find(({ thing }) => isWorkItem(thing) || isOfComment(thing))
  const [about] = known !== undefined
    ? [known]
    : event !== undefined && event !== null && !printed.test(event)
    ? ofEvent
    : [...ofHeader, ...ofEntity, ...ofEvent].filter(({ thing }) => thing !== "")
  const given = typeof action === "string" ? plain(action) : undefined
  const done = given === undefined ? undefined : verbs[given] ?? given
  return { thing: about?.thing ?? "", verb: about?.verb ?? ofEvent[0]?.verb ?? done ?? ofHeader[0]?.verb }
}

const isWorkItem = (thing: string) => /^(issue|work[_-]?item)$/.test(thing)

const isOfComment = (thing: string) => thing.includes("comment")

type Decoded = Either.Either<WorkItemSeen | CommentSeen | Nothing, string>

/**
 * What a body says, or (left) why it cannot be read. `header` is the hook's type as `X-Plane-Event` has it: it counts
 * where the body itself does not tell.
 */
export const decodePlaneHook = (body: string, header = ""): Decoded =>
  Either.flatMap(Either.mapLeft(decodeEnvelope(body), describeParseError), (envelope): Decoded => {
    const { activity, data, event } = envelope
    const { thing, verb } = subjectOf(envelope, header)
    if (thing === "") return Either.left("event: is missing")
    const kind = [isWorkItem(thing) ? "issue" : thing, verb].filter((word) => word !== undefined).join(" ")
    if (isOfComment(thing)) {
      const ours = isComment(data) && data.external_source === externalSource
      if (ours) return Either.right(nothing("a comment of plane-sync's own", kind))
      const isMade = event === "issue_comment" && envelope.action === "created" && !namesField(activity)
      return Either.right(
        (isMade ? commentSeen(activity, data) : undefined) ?? nothing("a comment moves nothing", kind)
      )
    }
    if (!isWorkItem(thing) || !["created", "updated", undefined].includes(verb)) {
      const name = JSON.stringify((event ?? thing).slice(0, 80))
      return Either.right(nothing(`the event ${name}${verb === undefined ? "" : ` (${verb})`} moves nothing`, kind))
    }
    const isAside = isOfAnother(envelope, verb ?? "updated")
    const actor = isActivity(activity) ? activity.actor : undefined
    const change = isActivity(activity) && !isAside ? activity : undefined
    const isNew = verb === "created" && !namesField(activity)
    const made = {
      isAside,
      isNew,
      marks: marksSeen(isNew, activity, data),
      who: isActor(actor) ? actor.display_name : undefined,
      by: isIdentified(actor) ? UserId(actor.id) : undefined,
      isByApi: change?.field === "state",
      movedTo: isUuid(change?.new_value) ? StateId(change.new_value.toLowerCase()) : undefined
    }
    return Either.flatMap(
      Either.mapLeft(decodeData(data), describeParseError),
      (data) => seenIn(data, made, kind)
    )
  })

/** What a hook says of a comment that was made; none if it was edited since, or the hook does not tell all of it. */
const commentSeen = (activity: unknown, data: unknown): CommentSeen | undefined => {
  const made = Option.getOrUndefined(decodeNewComment(data))
  const actor = isActivity(activity) ? activity.actor : undefined
  return made === undefined || !isIdentified(actor) ? undefined : {
    _tag: "CommentSeen",
    commentId: made.id,
    itemId: made.issue,
    project: made.project.toLowerCase(),
    html: made.comment_html,
    by: UserId(actor.id.toLowerCase()),
    who: isActor(actor) ? actor.display_name : undefined,
    createdAt: made.created_at
  }
}

const seenIn = (
  data: typeof Data.Type,
  made: Pick<WorkItemSeen, "by" | "isAside" | "isByApi" | "isNew" | "marks" | "movedTo" | "who">,
  kind: string
): Either.Either<WorkItemSeen | Nothing, string> => {
  const project = data.project ?? data.project_id
  if (project === undefined) return Either.left("project: is missing")
  const state = data.state ?? data.state_id
  if (state === null || state === undefined) {
    return Either.right(nothing("it names no state", `${kind} without a state`))
  }
  const told = typeof state === "string" ? { id: state } : state
  return Either.right({
    _tag: "WorkItemSeen",
    itemId: data.id,
    project: project.toLowerCase(),
    number: data.sequence_id,
    title: typeof data.name === "string" ? cleanLine(data.name, textLimit) : undefined,
    stateId: told.id,
    stateGroup: told.group === null || told.group === undefined ? undefined : cleanLine(told.group, textLimit),
    stateName: told.name ?? undefined,
    updatedAt: data.updated_at,
    ...made
  })
}
