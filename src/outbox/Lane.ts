/**
 * A lane: what one work item is owed, in order, by one writer. While only its key is known it owes nothing but the
 * look-up (`workItem` is null).
 */
export interface Lane {
  readonly id: number
  /** The key, normalized, or the work item's uuid. */
  readonly name: string
  readonly workItem: string | null
  /** Look-ups that failed in a row without an answer about the work item. */
  readonly attempts: number
  /** Look-ups in a row that found nobody, and when the first of them did. */
  readonly misses: number
  readonly missedAt: number | null
  /** The work item was deleted or archived when it was last seen. */
  readonly gone: boolean
  /** The id of its Plane state as last read or set; null while unknown. */
  readonly state: string | null
}

/** One request that is owed to Plane. Planned once, repeated as it is. */
export interface Delivery {
  readonly id: number
  readonly lane: number
  readonly kind: "comment" | "state"
  /** The sequences of the first and the last event it tells, or whose state it sets. */
  readonly firstEvent: number
  readonly lastEvent: number
  readonly externalId: string | null
  /** A comment's HTML, or a state's id. */
  readonly body: string
  readonly occurredAt: number
  /** Sendings so far, this one included, that were its own trouble. */
  readonly attempts: number
}

/** An event with a debt, as planning needs it. */
export interface OwedEvent {
  readonly sequence: number
  readonly id: string
  readonly workItem: string
  readonly body: string
  readonly occurredAt: number
}

/** All that decides what a lane does next. */
export interface Owed {
  readonly lane: Lane
  /** The key of its oldest debt, as written. */
  readonly key: string
  /** The latest event whose state is owed. */
  readonly state: OwedEvent | undefined
  /** The oldest event whose comment is owed. */
  readonly comment: OwedEvent | undefined
}

/** A request as it is planned. */
export type Plan =
  | { readonly _tag: "Comment"; readonly event: OwedEvent; readonly html: string; readonly externalId: string }
  | { readonly _tag: "State"; readonly event: OwedEvent; readonly state: string }

/** What a lane does next. */
export type Step =
  /** Find the work item by its key, or see whether one that was gone is back. */
  | { readonly _tag: "Look" }
  /** Compose a request, once. */
  | { readonly _tag: "Send"; readonly plan: Plan }
  /** The owed state asks for no request: it holds already, or its stage has none. */
  | { readonly _tag: "StateHolds"; readonly event: OwedEvent }
  /** An event that cannot be told. */
  | { readonly _tag: "Unfit"; readonly event: OwedEvent; readonly reason: string }

/** A look-up by key, or a look at a work item that was gone. */
export interface LookJob {
  readonly _tag: "Look"
  readonly lane: Lane
  readonly key: string
}

/** A request to send. */
export interface SendJob {
  readonly _tag: "Send"
  readonly lane: Lane
  /** Plane's uuid. */
  readonly workItem: string
  readonly delivery: Delivery
}

/** What a worker does for a lane it has claimed. Nobody else touches the lane until it is settled. */
export type Job = LookJob | SendJob

/** Again, not before `dueAt`. `counted`: it was the job's own trouble, not the destination's. */
export interface Later {
  readonly _tag: "Later"
  readonly dueAt: number
  readonly counted: boolean
  readonly reason: string
  readonly answer?: number | undefined
}

/** All that the lane owes becomes dead letters; `gone` when the work item was deleted or archived. */
export interface LaneDead {
  readonly _tag: "LaneDead"
  readonly reason: string
  readonly gone: boolean
  readonly answer?: number | undefined
}

/** How a look ended. Times are milliseconds since 1970, UTC. */
export type LookOutcome =
  | { readonly _tag: "Found"; readonly workItem: string; readonly state: string | null }
  /** Nobody has the key yet. */
  | { readonly _tag: "Missed"; readonly dueAt: number; readonly reason: string }
  | LaneDead
  | Later

/** How a sending ended. */
export type SendOutcome =
  /** Plane has it: the id of the comment, or the state that the work item is in now. */
  | { readonly _tag: "Delivered"; readonly planeId: string | null; readonly state: string | null }
  /** This delivery is a dead letter; the lane goes on. */
  | { readonly _tag: "Dead"; readonly reason: string; readonly answer?: number | undefined }
  | LaneDead
  | Later

/** A job and how it ended. */
export type Settlement = Looked | Sent

export interface Looked {
  readonly _tag: "Looked"
  readonly job: LookJob
  readonly outcome: LookOutcome
}

export interface Sent {
  readonly _tag: "Sent"
  readonly job: SendJob
  readonly outcome: SendOutcome
}

/** Who claims, until when the claim stands should nobody settle it, and who decides what is done. */
export interface Claim {
  readonly holder: string
  readonly until: number
  readonly plan: (owed: Owed) => Step
}
