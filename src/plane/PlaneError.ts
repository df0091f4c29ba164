import { Duration, Option, Schema } from "effect"
import { MonotonicMillis } from "../base/Time.js"

/** What went wrong between us and Plane, as `meaningOf` tells it from Plane's answer. */
export const PlaneErrorReason = Schema.Literal(
  /** No answer, or one that is not Plane's: a time-out, a reset, a 5xx, HTML. Worth another attempt. */
  "Unavailable",
  /** Plane's 429. `retryAfter` is always there. */
  "RateLimited",
  /** 401, or the 403 about the API token; also when there is none, and then nothing was sent. */
  "KeyRefused",
  /** Any other 403: the API token's user may not do this in this project or workspace. */
  "PermissionDenied",
  /** Plane's own 404: no such work item, or a deleted or archived one. */
  "NotFound",
  /** The project is archived in Plane: its lists are empty, and nothing in it is shown. */
  "Archived",
  /**
   * A redirect or a 404 that is not Plane's: the address, or a project id and identifier that do not belong together.
   */
  "WrongAddress",
  /** 400, 409, 413 and the like: the same request will never be taken. */
  "Refused",
  /** A 2xx that did not do what was asked. */
  "Ignored"
)
export type PlaneErrorReason = typeof PlaneErrorReason.Type

/**
 * What a request that failed says where nothing more is known of its cause. Where a setting of the project may
 * be wrong, `advice` names it.
 */
const sentences: Record<PlaneErrorReason, string> = {
  Unavailable: "Plane gives no answer that can be used",
  RateLimited: "Plane's rate limit for this API token is used up",
  KeyRefused: "Plane does not take the API token",
  PermissionDenied: "the API token's user may not do this in the project",
  NotFound: "Plane has no such work item, or it was deleted or archived",
  Archived: "the project is archived in Plane",
  WrongAddress: "this is not where Plane's API answers: check ORCH_PLANE_API_URL",
  Refused: "Plane refuses the request",
  Ignored: "Plane said yes, but did not do it"
}

/** A field that is left out where there is none. */
const orNone = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { as: "Option" })

/** A request to Plane that failed. It never holds the API token. */
export class PlaneError extends Schema.TaggedError<PlaneError>()("PlaneError", {
  reason: PlaneErrorReason,
  method: Schema.String,
  /** The path that was asked, without the query. */
  path: Schema.String,
  status: orNone(Schema.Int),
  /** The cause in plain words, with the setting to look at, where more is known than the reason. Never cut. */
  headline: orNone(Schema.String),
  /** The cause as the reason alone tells it, with the setting to look at, where that is one of the project. */
  advice: orNone(Schema.String),
  /** Plane's own words, or the network's: one line of at most 300 characters. */
  words: Schema.String,
  /** How long the answer asks to wait. */
  retryAfter: orNone(Schema.DurationFromMillis),
  /**
   * Whether Plane can still be executing the request. "no": it never left, nothing can have been applied. "answered":
   * it is over. "unknown": the first may still be executing, so it must not be repeated before the quiet time has
   * passed.
   */
  sent: Schema.Literal("no", "answered", "unknown"),
  /** When it was sent: the quiet time is measured from here. */
  sentAt: orNone(Schema.Number.pipe(Schema.fromBrand(MonotonicMillis))),
  /** As every error of JavaScript has it, so not an Option. */
  cause: Schema.optional(Schema.Defect)
}) {
  override get message(): string {
    const status = Option.match(this.status, { onNone: () => "", onSome: (status) => ` ${status}` })
    const wait = Option.match(this.retryAfter, {
      onNone: () => "",
      onSome: (wait) => `, to be tried again in ${Duration.toSeconds(wait)} s`
    })
    const why = this.headline.pipe(
      Option.orElse(() => this.advice),
      Option.getOrElse(() => sentences[this.reason])
    )
    return `${why} (${this.method} ${this.path} →${status} ${this.words || "(no words)"}${wait})`
  }
}

/** No work item of the project has this number, and no name carries the key. */
export class WorkItemNotFound extends Schema.TaggedError<WorkItemNotFound>()("WorkItemNotFound", {
  /** The key as it was written. */
  key: Schema.String
}) {
  override get message(): string {
    return `Plane has no work item ${this.key}: neither the number nor a name that carries it`
  }
}

/** This Plane can only be asked for the list of all work items, and that is not read to its end yet: ask again. */
export class ListUnread extends Schema.TaggedError<ListUnread>()("ListUnread", {
  /** The key as it was written. */
  key: Schema.String,
  /** Pages that are read. */
  pages: Schema.Int
}) {
  override get message(): string {
    return `${this.key} is looked for in the list of all work items, of which ${this.pages} pages are read`
  }
}

/** A work item as a message names it. */
export const NamedItem = Schema.Struct({ id: Schema.String, key: Schema.String, name: Schema.String })

const shown = 5

/** The names of several work items carry the key, and nothing says which is meant. */
export class AmbiguousName extends Schema.TaggedError<AmbiguousName>()("AmbiguousName", {
  /** The key as it was written. */
  key: Schema.String,
  /** The work items that carry it. */
  items: Schema.Array(NamedItem),
  /** Plane's search gave as much as it may, so there can be more of them: then even a single one is no answer. */
  more: Schema.Boolean
}) {
  override get message(): string {
    const names = this.items.slice(0, shown).map((item) => `${item.key} ${JSON.stringify(item.name)}`).join(", ")
    const rest = this.items.length > shown ? ` and ${this.items.length - shown} more` : ""
    return this.more
      ? `${this.key} stands in too many names for Plane's search to tell which is meant: ${names}${rest} …`
      : `${this.key} is carried by several names, which one is meant? ${names}${rest}`
  }
}

/** A key that begins with the identifier of no project. Plane was not asked. */
export class UnknownProject extends Schema.TaggedError<UnknownProject>()("UnknownProject", {
  /** The key as it was written. */
  key: Schema.String,
  /** The identifiers that are known. */
  known: Schema.Array(Schema.String),
  /** Where they are set. */
  setting: Schema.String
}) {
  override get message(): string {
    const known = this.known.map((identifier) => `"${identifier}-"`)
    return known.length === 1
      ? `${this.key} is not a key of this project: its keys begin with ${known[0] ?? ""} (${this.setting})`
      : `${this.key} is not a key of these projects: their keys begin with ${known.join(", ")} (${this.setting})`
  }
}
