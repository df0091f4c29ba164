import type * as HttpClient from "@effect/platform/HttpClient"
import type { ConfigError, Redacted } from "effect"
import { Effect } from "effect"
import type { PlaneState } from "../domain/StageStates.js"
import type { Ask } from "./Exchange.js"
import { make as makeExchange } from "./Exchange.js"
import { PlaneConfig } from "./PlaneConfig.js"
import type { PlaneError } from "./PlaneError.js"
import type { RateBudget } from "./RateBudget.js"
import { ProjectsJson, StatesJson } from "./Wire.js"

/** Where Plane is, and who asks. */
export interface Access {
  readonly url: string
  readonly workspace: string
  readonly apiToken: Redacted.Redacted
}

/** A project that the API token's user may see. */
export interface SurveyedProject {
  readonly id: string
  readonly identifier: string
  readonly name: string
  /** The role of the API token's user in it, as a number; undefined where Plane does not tell it. */
  readonly role: number | undefined
  /** Why nothing can be written to it. Undefined where Plane does not say that. */
  readonly closed: string | undefined
}

/** What a Plane has that no setting speaks of yet. Each is one request. */
export interface Survey {
  /** The projects of the workspace, a hundred at most: `all` says whether there are no others. */
  readonly projects: Effect.Effect<
    { readonly projects: ReadonlyArray<SurveyedProject>; readonly all: boolean },
    PlaneError
  >
  /** A project's states. An archived project shows none. */
  readonly states: (projectId: string) => Effect.Effect<ReadonlyArray<PlaneState>, PlaneError>
}

/** Plane's roles are 5 for guests, 15 for members and 20 for admins. */
const leastRole = 15

const closedBy = (
  { archived_at, is_member, member_role }: (typeof ProjectsJson.Type)["results"][number]
): string | undefined => {
  if (typeof archived_at === "string") return "it is archived"
  if (is_member === false) return "the API token's user is not a member of it"
  return typeof member_role === "number" && member_role < leastRole
    ? "the API token's user is a guest in it, and guests may not move work items"
    : undefined
}

const pageSize = "100"

/** Asks a Plane by an access that is not a setting yet. All else is as the settings say. */
export const makeSurvey = (
  { apiToken, url, workspace }: Access
): Effect.Effect<Survey, ConfigError.ConfigError, HttpClient.HttpClient | RateBudget> =>
  Effect.gen(function*() {
    const config = { ...(yield* PlaneConfig), url, apiToken, workspaceSlug: workspace }
    const exchange = yield* makeExchange({
      config,
      project: {
        names: {
          identifier: "the project",
          id: undefined,
          apiToken: "whether all of it was copied"
        }
      }
    })
    const listing: Ask = {
      method: "GET",
      path: ["workspaces", workspace, "projects"],
      query: { fields: "id,identifier,name,is_member,member_role,archived_at", per_page: pageSize }
    }
    return {
      projects: exchange.send(listing, ProjectsJson).pipe(
        Effect.mapBoth({
          onSuccess: (page) => ({
            all: !("next_page_results" in page) || page.next_page_results !== true,
            projects: page.results.map((each) => ({
              id: each.id.toLowerCase(),
              identifier: each.identifier.toUpperCase(),
              name: each.name,
              role: each.member_role ?? undefined,
              closed: closedBy(each)
            }))
          }),
          onFailure: (error) =>
            error.reason === "PermissionDenied"
              ? exchange.failure(listing, {
                reason: error.reason,
                sent: error.sent,
                headline: `there is no workspace ${workspace}, or the API token's user is not in it`,
                words: error.words,
                ...(error.status === undefined ? {} : { status: error.status })
              })
              : error
        }),
        Effect.withSpan("Survey.projects")
      ),
      states: (projectId) =>
        exchange.send({
          method: "GET",
          path: ["workspaces", workspace, "projects", projectId, "states"],
          query: { fields: "id,name,group,sequence", per_page: pageSize }
        }, StatesJson).pipe(Effect.map(({ results }) => results), Effect.withSpan("Survey.states"))
    }
  })
