import * as Schema from "effect/Schema"

/** The versions of Plane that the simulator can be. 1.4 is the preview of July 2026, which calls itself 1.3.1. */
export const PlaneVersion = Schema.Literal("0.27", "1.0", "1.3", "1.4")
export type PlaneVersion = typeof PlaneVersion.Type

/** In what the versions differ, as far as plane-sync can notice. docs/FIDELITY.md says where each is from. */
export interface Traits {
  /** What `GET /api/instances/` calls the version. */
  readonly calledVersion: string
  /** Whether `/work-items/` exists beside `/issues/` (since 1.1). */
  readonly hasWorkItems: boolean
  /** Whether there is a search. */
  readonly hasSearch: boolean
  /** Whether webhooks tell of what was written through the API (since 1.3.0). A person's changes are always told. */
  readonly tellsOfApi: boolean
  /** Whether one move in the web page is told twice, as `state` and as `state_id`. */
  readonly tellsMovesTwice: boolean
  /** Whether a webhook's body names the workspace's slug. */
  readonly namesWorkspace: boolean
  /** Whether webhooks follow redirects. A 301 or 302 turns them into a GET without a body. */
  readonly followsRedirects: boolean
  /** Whether a PATCH through the API notifies and mails the subscribers of the work item. */
  readonly mailsPatches: boolean
  /** Whether any PATCH of a completed work item moves `completed_at`. */
  readonly patchesCompletion: boolean
  /** Whether a list refuses an unknown `order_by` with 500. Otherwise it is the newest first. */
  readonly refusesOrder: boolean
  /** Whether the token of a service may send five times as much. */
  readonly sparesServices: boolean
  /** Whether the token of a deactivated user is still valid. */
  readonly keepsDeactivated: boolean
}

const current: Traits = {
  calledVersion: "1.3.1",
  hasWorkItems: true,
  hasSearch: true,
  tellsOfApi: true,
  tellsMovesTwice: false,
  namesWorkspace: false,
  followsRedirects: true,
  mailsPatches: false,
  patchesCompletion: true,
  refusesOrder: true,
  sparesServices: true,
  keepsDeactivated: true
}

const old: Traits = { ...current, hasWorkItems: false, tellsOfApi: false, tellsMovesTwice: true }

const traits: Record<PlaneVersion, Traits> = {
  "0.27": { ...old, calledVersion: "0.27.1", hasSearch: false },
  "1.0": { ...old, calledVersion: "1.0.0" },
  "1.3": current,
  "1.4": {
    ...current,
    namesWorkspace: true,
    followsRedirects: false,
    mailsPatches: true,
    patchesCompletion: false,
    refusesOrder: false,
    sparesServices: false,
    keepsDeactivated: false
  }
}

export const traitsOf = (version: PlaneVersion): Traits => traits[version]
