import { Equal } from "effect"
import type { PlaneState } from "../domain/StageStates.js"
import type { PlaneConfig } from "../plane/PlaneConfig.js"
import type { Access } from "../plane/Survey.js"

/** What is known of a project. */
export interface SeenProject {
  readonly id: string
  readonly role: number | undefined
  /** Undefined where they were not asked for. */
  readonly states: ReadonlyArray<PlaneState> | undefined
}

/** What `init` has read of Plane a moment ago, so that its checks do not ask it again. */
export interface Surveyed {
  readonly access: Access
  /** By their identifiers. */
  readonly projects: ReadonlyMap<string, SeenProject>
  /** How many requests may still be sent. */
  readonly left: number
}

/** Whether it was read from the Plane, and by the API token, that the settings lead to. */
export const isOf = ({ access }: Surveyed, { apiToken, url, workspaceSlug }: PlaneConfig): boolean =>
  access.url === url && access.workspace === workspaceSlug && Equal.equals(access.apiToken, apiToken)
