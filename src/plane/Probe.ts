import { Effect } from "effect"
import type { Project } from "../domain/Project.js"
import type { Ask, Exchange } from "./Exchange.js"
import { aboutAnother } from "./Exchange.js"
import type { PlaneConfig } from "./PlaneConfig.js"
import type { PlaneError } from "./PlaneError.js"
import { ProbeJson } from "./Wire.js"
import { isSameId } from "./WorkItem.js"

/** Plane's roles are 5 for guests, 15 for members and 20 for admins. */
const leastRole = 15

/** Why nothing can be written to a project that Plane shows. A version that does not tell is taken to allow it. */
const whyNotWritable = (
  { archived_at, identifier, is_member, member_role }: typeof ProbeJson.Type,
  expected: string
): Pick<PlaneError, "reason" | "words"> & { readonly headline?: string } | undefined => {
  if (identifier.toUpperCase() !== expected) {
    return {
      reason: "WrongAddress",
      headline:
        `the project's identifier is ${identifier}, and not ${expected}: set ORCH_PLANE_PROJECT_IDENTIFIER to ` +
        `${identifier}, or check ORCH_PLANE_PROJECT_ID`,
      words: `"identifier": ${JSON.stringify(identifier)}`
    }
  }
  if (typeof archived_at === "string") return { reason: "Archived", words: `archived since ${archived_at}` }
  if (is_member === false) {
    return {
      reason: "PermissionDenied",
      headline: `the API token's user is not a member of the project ${expected}: make it one in Plane, or check ` +
        "ORCH_PLANE_API_TOKEN",
      words: "\"is_member\": false"
    }
  }
  return typeof member_role === "number" && member_role < leastRole
    ? {
      reason: "PermissionDenied",
      headline:
        `the API token's user is a guest in the project ${expected}, and guests may not move work items: make ` +
        "it a member in Plane, or check ORCH_PLANE_API_TOKEN",
      words: `"member_role": ${member_role}`
    }
    : undefined
}

/**
 * What the probe's own failure says. Plane answers 404 for a project that is not in the workspace, and 403 to who is
 * not in the workspace, also if there is none of this name.
 */
const headlineOf = ({ reason }: PlaneError, workspace: string, project: string): string | undefined => {
  if (reason === "NotFound") {
    return `the workspace ${workspace} has no project with the id ${project}: check ORCH_PLANE_PROJECT_ID`
  }
  return reason === "PermissionDenied"
    ? `there is no workspace ${workspace}, or the API token's user is not in it: check ORCH_PLANE_WORKSPACE_SLUG`
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
    const found = yield* Effect.mapError(exchange.send(ask, ProbeJson), (error) => {
      const headline = headlineOf(error, config.workspaceSlug, project.id)
      if (headline === undefined) return error
      const { reason, sent, status, words } = error
      return exchange.failure(ask, {
        reason: reason === "NotFound" ? "WrongAddress" : reason,
        sent,
        words,
        headline,
        ...(status === undefined ? {} : { status })
      })
    })
    if (!isSameId(found.id, project.id)) return yield* exchange.failure(ask, aboutAnother(found.id, "answered"))
    const why = whyNotWritable(found, project.identifier)
    if (why !== undefined) return yield* exchange.failure(ask, { ...why, sent: "answered", status: 200 })
  }).pipe(Effect.withSpan("PlaneClient.probe"))
}
