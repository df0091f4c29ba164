import { Effect, Option } from "effect"
import type { Project } from "../domain/Project.js"
import type { CurrentProject } from "./CurrentProject.js"
import type { Ask, Exchange } from "./Exchange.js"
import { aboutAnother } from "./Exchange.js"
import type { Locate } from "./Locate.js"
import { placeOf, projectPath } from "./Locate.js"
import type { PlaneError } from "./PlaneError.js"
import { isGuest, noWorkspace } from "./ProjectList.js"
import { ProbeJson } from "./Wire.js"
import { isSameId } from "./WorkItem.js"

/** Why nothing can be written to a project that Plane shows. A version that does not tell is taken to allow it. */
const whyNotWritable = (
  { archived_at, identifier, is_member, member_role }: typeof ProbeJson.Type,
  { identifier: expected, names }: Project
): Pick<PlaneError, "reason" | "words"> & { readonly headline?: string } | undefined => {
  if (identifier.toUpperCase() !== expected) {
    return {
      reason: "WrongAddress",
      headline:
        `the project's identifier is ${identifier}, and not ${expected}: set ${names.identifier} to ${identifier}` +
        (names.id === undefined ? "" : `, or check ${names.id}`),
      words: `"identifier": ${JSON.stringify(identifier)}`
    }
  }
  if (typeof archived_at === "string") return { reason: "Archived", words: `archived since ${archived_at}` }
  if (is_member === false) {
    return {
      reason: "PermissionDenied",
      headline: `the API token's user is not a member of the project ${expected}: make it one in Plane, or check ` +
        names.apiToken,
      words: "\"is_member\": false"
    }
  }
  return isGuest(member_role)
    ? {
      reason: "PermissionDenied",
      headline:
        `the API token's user is a guest in the project ${expected}, and guests may not move work items: make ` +
        `it a member in Plane, or check ${names.apiToken}`,
      words: `"member_role": ${member_role}`
    }
    : undefined
}

/**
 * What the probe's own failure says. Plane answers 404 for a project that is not in the workspace, and 403 to who is
 * not in the workspace, also if there is none of this name.
 */
const headlineOf = (
  { reason }: PlaneError,
  { config: { workspaceSlug }, project: { names } }: CurrentProject["Type"],
  id: string
): string | undefined => {
  if (reason === "NotFound") {
    return `the workspace ${workspaceSlug} has no project with the id ${id}: check ${names.id ?? names.identifier}`
  }
  return reason === "PermissionDenied"
    ? noWorkspace(workspaceSlug, names.workspace)
    : undefined
}

/** `PlaneClient.probe`, with what Plane says of the project. */
export const makeProbe = (
  { current, exchange, locate }: {
    readonly current: CurrentProject["Type"]
    readonly exchange: Exchange
    readonly locate: Locate
  }
): Effect.Effect<typeof ProbeJson.Type, PlaneError> => {
  const { project } = current

  const look = Effect.gen(function*() {
    yield* locate.known
    const { id } = placeOf(current)
    const ask: Ask = {
      method: "GET",
      path: projectPath(current),
      query: { fields: "id,identifier,is_member,member_role,archived_at" }
    }
    const found = yield* Effect.mapError(exchange.send(ask, ProbeJson), (error) => {
      const headline = headlineOf(error, current, id)
      if (headline === undefined) return error
      const { reason, sent, status, words } = error
      return exchange.failure(ask, {
        reason: reason === "NotFound" ? "WrongAddress" : reason,
        sent,
        words,
        headline,
        status: Option.getOrUndefined(status)
      })
    })
    if (!isSameId(found.id, id)) return yield* exchange.failure(ask, aboutAnother(found.id, "answered"))
    const why = whyNotWritable(found, project)
    if (why !== undefined) return yield* exchange.failure(ask, { ...why, sent: "answered", status: 200 })
    return found
  })

  // A project that is set by its identifier may be another one by now: deleted and made anew, or renamed. Where it is
  // the same one, renamed, what it said itself tells more than that no other has its identifier.
  const orElsewhere = Effect.catchIf(
    look,
    ({ reason }) => reason === "WrongAddress" && project.id === undefined,
    (error) =>
      Effect.catchIf(
        locate.again,
        ({ reason }) => reason === "WrongAddress" && Option.contains(error.status, 200),
        () => error
      ).pipe(
        Effect.flatMap((isElsewhere) => isElsewhere ? look : error)
      )
  )
  return Effect.withSpan(orElsewhere, "PlaneClient.probe")
}
