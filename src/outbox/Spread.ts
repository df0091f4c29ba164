import type { Array as Arr } from "effect"
import { Duration, Effect } from "effect"
import type { Scope } from "effect"
import { epochMillis, MonotonicMillis, monotonicMillis } from "../base/Time.js"
import type { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import type { LeaderActive, Term } from "./Leader.js"
import { leaseOf } from "./Leader.js"
import type { Outbox } from "./Outbox.js"
import type { Terms } from "./Terms.js"

/** A replica that is alive, and a project whose row it has; null for the replica itself. */
export interface Share {
  readonly replica: string
  readonly project: string | null
}

type Destination = Arr.NonEmptyReadonlyArray<string>

/** What a replica does next about the destinations but the first, by their places in the list. */
export interface SpreadStep {
  /** Those that nobody leads. */
  readonly free: ReadonlyArray<number>
  /** The one that this replica takes, because it leads the fewest. */
  readonly take?: number
  /** Those that it gives up, because another one leads at least two fewer. */
  readonly giveUp: ReadonlyArray<number>
}

/**
 * Spreads destinations over the replicas, by what all of them can read: who leads the fewest takes what is free, and who
 * leads too many gives up half of what it has more than that one. So each soon leads as many as the others, or one more.
 */
export const nextSpread = (
  destinations: ReadonlyArray<Destination>,
  shares: ReadonlyArray<Share>,
  me: string
): SpreadStep => {
  const leaders = new Map(shares.flatMap(({ project, replica }) => project === null ? [] : [[project, replica]]))
  const leaderOf = (destination: Destination) => {
    const led = destination.find((project) => leaders.has(project))
    return led === undefined ? undefined : leaders.get(led)
  }
  const replicas = Array.from(new Set([me, ...shares.map(({ replica }) => replica)])).sort()
  const leads = (replica: string) => destinations.filter((each) => leaderOf(each) === replica).length
  const mine = leads(me)
  const least = Math.min(...replicas.map(leads))
  const others = destinations.flatMap((destination, place) => place === 0 ? [] : [{ destination, place }])
  const free = others.filter(({ destination }) => leaderOf(destination) === undefined).map(({ place }) => place)
  if (free.length > 0) {
    if (mine > least) return { free, giveUp: [] }
    // Those that lead equally few do not all want the same.
    const rank = replicas.filter((replica) => leads(replica) === least).indexOf(me)
    const take = free[rank % free.length]
    return { free, giveUp: [], ...(take === undefined ? {} : { take }) }
  }
  const given = others.filter(({ destination }) => leaderOf(destination) === me).map(({ place }) => place)
  const surplus = Math.floor((mine - least) / 2)
  return { free, giveUp: surplus === 0 ? [] : given.slice(-surplus) }
}

/** The replicas that are alive, and which projects' rows they have. */
export const readShares = ({ read, sql }: Pick<Storage["Type"], "read" | "sql">) =>
  Effect.flatMap(epochMillis, (now) => {
    const alive = sql`seen_at > ${sql.clock(now)} - ${sql.literal(String(Duration.toMillis(leaseOf(sql).length)))}`
    return read(sql<Share>`SELECT coalesce(replica, holder) AS replica, project FROM plane_sync_sender WHERE ${alive}
      UNION ALL SELECT id, NULL FROM plane_sync_replica WHERE ${alive}`)
  })

/** How often it is looked what others lead. */
const lookEvery = "1 second"

/** So long nobody has taken what is free, as when the others have no settings for it: then anybody may. */
const leftAfter = Duration.toMillis("5 seconds")

/** For so long such a replica gives up nothing, because the others do not take it. */
const keptFor = Duration.toMillis("5 minutes")

/**
 * Leads destinations but the first, as many as the other replicas do, until the scope closes. `terms` has those of each
 * destination, by its place.
 */
export const startSpread = ({ destinations, looked, me, outbox, storage, terms }: {
  readonly destinations: ReadonlyArray<Destination>
  readonly me: string
  readonly outbox: Outbox["Type"]
  readonly storage: Storage["Type"]
  readonly terms: ReadonlyArray<Terms>
  /** Runs when it is known for the first time what others lead. */
  readonly looked: Effect.Effect<void>
}): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const { retry } = storage.trouble
    const freeSince = new Map<number, MonotonicMillis>()
    let keptUntil = MonotonicMillis(-Infinity)

    /** Leads a destination, in the background. Returns once it is known whether it does. */
    const lead = (place: number): Effect.Effect<void> =>
      Effect.gen(function*() {
        const [each, projects] = [terms[place], destinations[place]]
        if (each === undefined || projects === undefined) return
        const latch = yield* Effect.makeLatch(false)
        const names = projects.join(", ")
        const become = (
          holder: string
        ): Effect.Effect<Term, LeaderActive | StorageError, Scope.Scope> =>
          outbox.becomeLeader({ holder, projects, replica: me, byLease: true }).pipe(
            Effect.tap(Effect.logInfo(`This replica sends for ${names} now`)),
            Effect.ensuring(latch.open)
          )
        yield* each.lead(become).pipe(
          Effect.flatMap((why) =>
            why._tag === "Some"
              ? Effect.logError(`${why.value}: nothing more is sent for ${names} from here for now`)
              : Effect.logInfo(`Another replica may send for ${names}, because it leads fewer destinations`)
          ),
          // Another one was faster, or storage fails: it is looked again.
          Effect.ignore,
          Effect.forkIn(scope)
        )
        yield* latch.await
      })

    const look = Effect.gen(function*() {
      const now = yield* monotonicMillis
      const { free, giveUp, take } = nextSpread(destinations, yield* retry(readShares(storage)), me)
      yield* looked
      for (const place of freeSince.keys()) if (!free.includes(place)) freeSince.delete(place)
      for (const place of free) if (!freeSince.has(place)) freeSince.set(place, now)
      const left = free.find((place) => now - (freeSince.get(place) ?? now) > leftAfter)
      const taken = take ?? left
      if (taken !== undefined) {
        if (take === undefined) keptUntil = MonotonicMillis(now + keptFor)
        const before = terms[taken]?.present()
        yield* lead(taken)
        // There may be more that is free.
        if (terms[taken]?.present() !== before) return
      } else if (now > keptUntil) {
        yield* Effect.forEach(giveUp, (place) => terms[place]?.giveUp ?? Effect.void, { discard: true })
      }
      yield* Effect.sleep(lookEvery)
    })

    yield* Effect.forkScoped(Effect.forever(look))
  })
