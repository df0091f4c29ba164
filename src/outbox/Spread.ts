import type { Array as Arr } from "effect"
import { Cause, Duration, Effect, ExecutionStrategy, Scope } from "effect"
import type { MonotonicMillis } from "../base/Time.js"
import { epochMillis, monotonicMillis } from "../base/Time.js"
import type { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import type { LeaderActive, Term } from "./Leader.js"
import { leaseOf } from "./Leader.js"
import { nextLook } from "./NextLook.js"
import type { Outbox } from "./Outbox.js"
import type { Terms } from "./Terms.js"
import { logBug } from "./Terms.js"

/** A replica that is alive, and a project whose row it has; null for the replica itself. */
export interface Holding {
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
  holdings: ReadonlyArray<Holding>,
  me: string,
  /**
   * What this replica cannot take now, because a term of its own is still ending there, and what it does not give up,
   * because nobody took it when it did.
   */
  { busy = new Set(), kept = new Set() }: { readonly busy?: ReadonlySet<number>; readonly kept?: ReadonlySet<number> } =
    {}
): SpreadStep => {
  const leaders = new Map(holdings.flatMap(({ project, replica }) => project === null ? [] : [[project, replica]]))
  const leaderOf = (destination: Destination) => {
    const led = destination.find((project) => leaders.has(project))
    return led === undefined ? undefined : leaders.get(led)
  }
  const replicas = Array.from(new Set([me, ...holdings.map(({ replica }) => replica)])).sort()
  const leads = (replica: string) => destinations.filter((each) => leaderOf(each) === replica).length
  const mine = leads(me)
  const least = Math.min(...replicas.map(leads))
  const others = destinations.flatMap((destination, place) => place === 0 ? [] : [{ destination, place }])
  const free = others.filter(({ destination, place }) => leaderOf(destination) === undefined && !busy.has(place))
    .map(({ place }) => place)
  if (free.length > 0) {
    if (mine > least) return { free, giveUp: [] }
    // Those that lead equally few do not all want the same.
    const rank = replicas.filter((replica) => leads(replica) === least).indexOf(me)
    const take = free[rank % free.length]
    return { free, giveUp: [], ...(take === undefined ? {} : { take }) }
  }
  const given = others.filter(({ destination, place }) => leaderOf(destination) === me && !kept.has(place))
    .map(({ place }) => place)
  const surplus = Math.floor((mine - least) / 2)
  return { free, giveUp: surplus === 0 ? [] : given.slice(-surplus) }
}

/**
 * The replicas that are alive, and which projects' rows they have. One without rows is waited for to take what is free:
 * so it counts for less long, or the lease of what it has led would be over before it is known to be gone.
 */
export const readHoldings = ({ read, sql }: Pick<Storage["Type"], "read" | "sql">) =>
  Effect.flatMap(epochMillis, (now) => {
    const { heartbeat, length } = leaseOf(sql)
    const seenWithin = (time: Duration.Duration) =>
      sql`seen_at > ${sql.clock(now)} - ${sql.literal(String(Duration.toMillis(time)))}`
    return read(sql<Holding>`SELECT coalesce(replica, holder) AS replica, project FROM plane_sync_sender
      WHERE ${seenWithin(length)}
      UNION ALL SELECT id, NULL FROM plane_sync_replica WHERE ${seenWithin(Duration.subtract(length, heartbeat))}`)
  })

/** How long nothing is looked at after a bug. */
const afterBug = "1 second"

/** So long nobody has taken what is free, as when the others have no settings for it: then anybody may. */
const leftAfter = Duration.toMillis("5 seconds")

/**
 * Leads destinations but the first, as many as the other replicas do, until the scope closes. `terms` has those of each
 * destination, by its place.
 */
export const startSpread = ({ destinations, isPaused, looked, me, outbox, storage, terms }: {
  readonly destinations: ReadonlyArray<Destination>
  readonly me: string
  readonly outbox: Outbox["Type"]
  readonly storage: Storage["Type"]
  readonly terms: ReadonlyArray<Terms>
  /** Whether nothing is to be taken for now. */
  readonly isPaused: Effect.Effect<boolean>
  /** Runs when it is known for the first time what others lead. */
  readonly looked: Effect.Effect<void>
}): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function*() {
    // All are given up at the same time, because others wait for them.
    const scope = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.parallel)
    const { retry } = storage.trouble
    const freeSince = new Map<number, MonotonicMillis>()
    // Where a former term is still ending, or another one has begun.
    const busy = new Set<number>()
    // Nobody else takes these, as when the others have no settings for them.
    const kept = new Set<number>()
    const met = new Set<string>()

    /** Leads a destination, in the background. Returns once it is known whether it does. */
    const lead = (place: number): Effect.Effect<void> =>
      Effect.gen(function*() {
        const [each, projects] = [terms[place], destinations[place]]
        if (each === undefined || projects === undefined) return
        busy.add(place)
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
          Effect.catchAllDefect((defect) => logBug(Cause.die(defect))),
          Effect.ensuring(Effect.sync(() => busy.delete(place))),
          Effect.forkIn(scope)
        )
        yield* latch.await
      })

    const next = nextLook(storage)
    const look = Effect.gen(function*() {
      const mark = yield* next.mark
      const now = yield* monotonicMillis
      const holdings = yield* retry(readHoldings(storage))
      yield* looked
      for (const { replica } of holdings) {
        if (met.has(replica)) continue
        met.add(replica)
        // It may take what others did not.
        kept.clear()
      }
      const { free, giveUp, take } = nextSpread(destinations, holdings, me, { busy, kept })
      for (const place of freeSince.keys()) if (!free.includes(place)) freeSince.delete(place)
      for (const place of free) if (!freeSince.has(place)) freeSince.set(place, now)
      const left = free.find((place) => now - (freeSince.get(place) ?? now) > leftAfter)
      const taken = take ?? left
      if (taken !== undefined && !(yield* isPaused)) {
        if (take === undefined) kept.add(taken)
        yield* lead(taken)
        // There may be more that is free.
        if (terms[taken]?.present() !== undefined) return
      }
      yield* Effect.forEach(giveUp, (place) => terms[place]?.giveUp ?? Effect.void, { discard: true })
      yield* next.since(mark)
    }).pipe(Effect.catchAllDefect((defect) => Effect.zipRight(logBug(Cause.die(defect)), Effect.sleep(afterBug))))

    yield* Effect.forkScoped(Effect.forever(look))
  })
