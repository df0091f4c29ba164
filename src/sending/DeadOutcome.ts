import { Effect, Option } from "effect"
import { epochMillis } from "../base/Time.js"
import type { DeadCode } from "../outbox/DeadCode.js"
import type { Lane } from "../outbox/Lane.js"
import type { Dead, LaneDead, Later } from "../outbox/Outcome.js"
import type { FindError } from "../plane/FindByKey.js"
import type { PlaneError, PlaneErrorReason } from "../plane/PlaneError.js"
import { said } from "./Retry.js"
import type { SendContext } from "./SendContext.js"

/** Whether Plane's answer is about the request, so that repeating it is of no use. */
export const isAboutTheRequest = (error: PlaneError): boolean =>
  error.reason === "Refused" || error.reason === "Ignored" || error.reason === "NotFound"

// An error that says nothing about the request is repeated. Its delivery dies only when all attempts are used up.
const codes: Record<PlaneErrorReason | Exclude<FindError, PlaneError>["_tag"], DeadCode> = {
  Unavailable: "attempts",
  RateLimited: "attempts",
  KeyRefused: "attempts",
  PermissionDenied: "attempts",
  NotFound: "attempts",
  Archived: "attempts",
  WrongAddress: "attempts",
  Refused: "refused",
  Ignored: "ignored",
  WorkItemNotFound: "not_found",
  AmbiguousName: "ambiguous",
  UnknownProject: "wrong_project",
  ListUnread: "attempts"
}

/** The code of a dead letter. */
export const codeOf = (error: FindError): DeadCode => codes[error._tag === "PlaneError" ? error.reason : error._tag]

/** The delivery becomes a dead letter, with Plane's words. */
export const dead = (error: PlaneError): Dead => ({
  _tag: "Dead",
  code: codeOf(error),
  ...said(error)
})

/**
 * Plane says that it has no such work item: all that is owed to it becomes dead letters. Not when the destination is
 * down, because an archived project hides its work items, and these are not gone. A work item that was gone before
 * needs no such check.
 */
export const goneUnlessDown = (
  { destination }: SendContext,
  error: PlaneError,
  lane: Lane
): Effect.Effect<LaneDead | Later> =>
  Effect.zipWith(
    lane.gone ? Effect.succeed(false) : destination.isDown(),
    epochMillis,
    (isDown, now): LaneDead | Later =>
      isDown
        ? { _tag: "Later", dueAt: now, counted: false, ...said(error) }
        : {
          _tag: "LaneDead",
          code: "gone",
          reason: "the work item was deleted or archived in Plane",
          gone: true,
          answer: Option.getOrUndefined(error.status)
        }
  )
