import type { Duration, Either } from "effect"
import { Effect } from "effect"
import type { NoAddress } from "../domain/GiteaAddress.js"
import type { LaneId, UserId } from "../domain/Ids.js"
import type { KnownPlace } from "../domain/Place.js"
import type { Project } from "../domain/Project.js"
import type { Outbox } from "../outbox/Outbox.js"
import type { PlaneClient } from "../plane/PlaneClient.js"
import type { PlaneConfig } from "../plane/PlaneConfig.js"
import type { PlaneError } from "../plane/PlaneError.js"
import type { RateBudget, Slot } from "../plane/RateBudget.js"
import type { Destination } from "./Destination.js"
import type { Find } from "./Find.js"
import type { QuietTimes } from "./QuietTimes.js"

/** What sending a request needs: the services it uses, the settings, and whether this process is still the leader. */
export interface SendContext {
  readonly client: PlaneClient["Type"]
  readonly find: Find
  readonly budget: RateBudget["Type"]
  readonly config: PlaneConfig
  readonly project: Project
  readonly place: KnownPlace
  readonly destination: Destination["Type"]
  readonly quietTimes: QuietTimes
  /** `Destination.unlessIdentifierHolds` of all projects: the first that knows better. */
  readonly unlessIdentifierHolds: Destination["Type"]["unlessIdentifierHolds"]
  /** The address of a link as people reach it; or why Plane cannot be given it. */
  readonly linkAddress: (url: string) => Either.Either<string, NoAddress>
  /** Ends at once while this process is the leader, and never when another has taken over. */
  readonly stillLeading: Effect.Effect<void>
  /** For how long no state is set because a person has just changed the work item: see `leftAlone`. */
  readonly leftAlone: (lane: LaneId) => Effect.Effect<Duration.Duration>
  /** Who people are in Plane, by what the settings call them; nobody's names are not in it, and are said once. */
  readonly usersOf: (people: ReadonlyArray<string>) => Effect.Effect<ReadonlyMap<string, UserId>, PlaneError>
  /** See `Outbox`. */
  readonly noteAsked: (
    ...note: Parameters<Outbox["Type"]["noteAsked"]>
  ) => Effect.Effect<Effect.Effect.Success<ReturnType<Outbox["Type"]["noteAsked"]>>>
  /** Warns of it the first time. */
  readonly sayOnce: (warning: string) => Effect.Effect<void>
}

/**
 * Sends a write with the slot that was brought, or with one of its own if that is not good any more. A write waits for
 * the budget, and the process may have been suspended in that time, or before: so it is sent only if no other process
 * has taken over meanwhile. Timers cannot tell, because they all are late then.
 */
export const write = <A, E>(
  { budget, stillLeading }: SendContext,
  brought: Slot | undefined,
  request: (slot: Slot) => Effect.Effect<A, E>
): Effect.Effect<A, E> => budget.withSlot(brought, (slot) => Effect.zipRight(stillLeading, request(slot)))
