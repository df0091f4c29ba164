import type * as Effect from "effect/Effect"
import type { Request } from "./Http.js"
import type * as Model from "./Model.js"
import type { PlaneMicros } from "./Moment.js"
import type { Route } from "./Router.js"
import type { Store } from "./Store.js"
import type { Traits } from "./Version.js"
import type { Announcement } from "./Webhooks.js"

/** An admitted request with what a view needs to answer it. */
export interface Call {
  readonly store: Store
  readonly route: Route
  readonly request: Request
  readonly params: URLSearchParams
  readonly caller: Model.User
  /** What the caller is in the path's project. Undefined if it is not a member, or if the path has no project. */
  readonly role: Model.ProjectRole | undefined
  /** What somebody is in the path's project. */
  readonly roleOf: (user: Model.User) => Model.ProjectRole | undefined
  /** What this version of Plane can do. */
  readonly traits: Traits
  /**
   * Inserts after the request's delay, even if the client has left meanwhile, and notes that the request wrote
   * something. `at` is the moment of the insertion.
   */
  readonly write: <A>(insert: (at: PlaneMicros) => A) => Effect.Effect<A>
  /** How long a PATCH of a work item takes from reading the row to saving all of it, in milliseconds. */
  readonly saving: number
  /** Whether webhooks, mails and activities can tell of what is written. */
  readonly isTold: boolean
  readonly announce: (what: Announcement) => Effect.Effect<void>
}
