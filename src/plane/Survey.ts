import type * as HttpClient from "@effect/platform/HttpClient"
import type { ConfigError, Redacted } from "effect"
import { Effect } from "effect"
import type { PlaneState } from "../domain/StageStates.js"
import { make as makeExchange } from "./Exchange.js"
import { PlaneConfig } from "./PlaneConfig.js"
import type { PlaneError } from "./PlaneError.js"
import type { ListedProject } from "./ProjectList.js"
import { listProjects, projectList } from "./ProjectList.js"
import type { RateBudget } from "./RateBudget.js"
import { listStates } from "./StateList.js"

/** Where Plane is, and who asks. */
export interface Access {
  readonly url: string
  readonly workspace: string
  readonly apiToken: Redacted.Redacted
}

/** What a Plane has that no setting speaks of yet. Each is one request. */
export interface Survey {
  /** The projects of the workspace, a hundred at most: `all` says whether there are no others. */
  readonly projects: Effect.Effect<
    { readonly projects: ReadonlyArray<ListedProject>; readonly all: boolean },
    PlaneError
  >
  /** A project's states. An archived project shows none. */
  readonly states: (projectId: string) => Effect.Effect<ReadonlyArray<PlaneState>, PlaneError>
}

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
    return {
      projects: listProjects(exchange, { workspace, setting: undefined, mostPages: 1 }),
      states: (projectId) => listStates(exchange, [...projectList(workspace).path, projectId], 1)
    }
  })
