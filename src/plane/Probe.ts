import { Effect } from "effect"
import type { Project } from "../domain/Project.js"
import type { Ask, Exchange } from "./Exchange.js"
import type { PlaneConfig } from "./PlaneConfig.js"
import type { PlaneError } from "./PlaneError.js"
import { ProbeJson } from "./Wire.js"

/** Plane's roles are 5 for guests, 15 for members and 20 for admins. */
const leastRole = 15

/** Why nothing can be written to a project that Plane shows. A version that does not tell is taken to allow it. */
const whyNotWritable = (
  { archived_at, identifier, is_member, member_role }: typeof ProbeJson.Type,
  expected: string
): Pick<PlaneError, "reason" | "words"> | undefined => {
  if (identifier.toUpperCase() !== expected) {
    return {
      reason: "WrongAddress",
      words: `the project's identifier is ${identifier}, but the one set is ${expected}`
    }
  }
  if (typeof archived_at === "string") return { reason: "Archived", words: `archived since ${archived_at}` }
  if (is_member === false) {
    return { reason: "PermissionDenied", words: `the API token's user is not a member of the project ${expected}` }
  }
  return typeof member_role === "number" && member_role < leastRole
    ? {
      reason: "PermissionDenied",
      words: `the API token's user is a guest in the project ${expected}, and guests may not move work items`
    }
    : undefined
}

/** `PlaneClient.probe`. */
export const makeProbe = (
  { config, exchange, project }: {
    readonly config: PlaneConfig
    readonly project: Project
    readonly exchange: Exchange
  }
): Effect.Effect<void, PlaneError> => {
  const ask: Ask = {
    method: "GET",
    path: ["workspaces", config.workspaceSlug, "projects", project.id],
    query: { fields: "id,identifier,is_member,member_role,archived_at" }
  }
  return Effect.gen(function*() {
    const found = yield* Effect.catchIf(
      exchange.send(ask, ProbeJson),
      (error) => error.reason === "NotFound",
      ({ status }) =>
        exchange.failure(ask, {
          reason: "WrongAddress",
          sent: "answered",
          words: `there is no project with the id ${project.id}`,
          ...(status === undefined ? {} : { status })
        })
    )
    const why = whyNotWritable(found, project.identifier)
    if (why !== undefined) return yield* exchange.failure(ask, { ...why, sent: "answered", status: 200 })
  }).pipe(Effect.withSpan("PlaneClient.probe"))
}
