import { assert, describe, it } from "@effect/vitest"
import type { Context } from "effect"
import { Array as Arr, Effect, Exit, FastCheck, Layer, Schedule, Scope } from "effect"
import { EpochMillis } from "../../src/base/Time.js"
import { Destinations } from "../../src/domain/Destinations.js"
import { NormalizedKey } from "../../src/domain/WorkItemKey.js"
import type { Term } from "../../src/outbox/Leader.js"
import { Leadership } from "../../src/outbox/Leadership.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import type { ClaimPolicy, Step } from "../../src/outbox/Plan.js"
import type { Holding } from "../../src/outbox/Spread.js"
import { nextSpread } from "../../src/outbox/Spread.js"
import { everythingElse } from "../../src/outbox/Turns.js"
import { Storage } from "../../src/storage/Storage.js"
import { inPostgres } from "../support/Engines.js"
import { describePostgres } from "../support/Postgres.js"

const names = ["ET", "OPS", "WEB", "APP", "DOC"] as const
const destinations = Arr.map(names, (name) => Arr.make<[string, ...Array<string>]>(name))

/** What replicas would read that lead what is said, by name. */
const holdingsOf = (leads: ReadonlyMap<string, ReadonlyArray<string>>): ReadonlyArray<Holding> =>
  Array.from(leads).flatMap(([replica, projects]) => [
    { replica, project: null },
    ...projects.map((project) => ({ replica, project }))
  ])

describe("destinations are spread", () => {
  it("the least loaded replica takes what is free, and those that lead equally few take different ones", () => {
    const holdings = holdingsOf(new Map([["a", ["ET", everythingElse]], ["b", []], ["c", []]]))
    assert.deepStrictEqual(nextSpread(destinations, holdings, "a"), { free: [1, 2, 3, 4], giveUp: [] })
    assert.strictEqual(nextSpread(destinations, holdings, "b").take, 1)
    assert.strictEqual(nextSpread(destinations, holdings, "c").take, 2)
  })

  it("who leads two more than another gives up half of that, and never the first", () => {
    const holdings = holdingsOf(new Map([["a", [everythingElse, ...names]], ["b", []]]))
    assert.deepStrictEqual(nextSpread(destinations, holdings, "a").giveUp, [3, 4])
    assert.deepStrictEqual(nextSpread(destinations, holdings, "b"), { free: [], giveUp: [] })
    // Nobody took the last one when it was given up.
    assert.deepStrictEqual(nextSpread(destinations, holdings, "a", { kept: new Set([4]) }).giveUp, [2, 3])
    const even = holdingsOf(new Map([["a", ["ET", "OPS", "WEB"]], ["b", ["APP", "DOC"]]]))
    assert.deepStrictEqual(nextSpread(destinations, even, "a"), { free: [], giveUp: [] })
  })

  it("from wherever they are, they come to rest with nothing free and nobody two ahead", () =>
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(FastCheck.integer({ min: -1, max: 3 }), { minLength: 12, maxLength: 12 }),
        FastCheck.integer({ min: 1, max: 4 }),
        (owners, count) => {
          const all = owners.map((_, n) => Arr.make<[string, ...Array<string>]>(`P${n}`))
          const replicas = Array.from({ length: count }, (_, n) => `r${n}`)
          const leads = new Map(replicas.map((replica) => [replica, new Array<string>()]))
          owners.forEach((owner, n) => leads.get(n === 0 ? "r0" : `r${owner}`)?.push(`P${n}`))
          for (let round = 0; round < 40; round++) {
            // All look before any of them acts, as they do when they look at the same time.
            const holdings = holdingsOf(leads)
            const steps = replicas.map((replica) => ({ replica, step: nextSpread(all, holdings, replica) }))
            for (const { replica, step: { giveUp, take } } of steps) {
              const mine = leads.get(replica) ?? []
              leads.set(replica, mine.filter((project) => !giveUp.some((place) => project === `P${place}`)))
              const isTaken = Array.from(leads.values()).flat().includes(`P${take}`)
              if (take !== undefined && !isTaken) leads.get(replica)?.push(`P${take}`)
            }
          }
          const counts = Array.from(leads.values(), ({ length }) => length)
          assert.strictEqual(counts.reduce((sum, each) => sum + each, 0), owners.length)
          assert.isAtMost(Math.max(...counts) - Math.min(...counts), 1)
        }
      )
    ))
})

const event = (id: string, key: string, project: string) => ({
  id,
  workItem: key,
  lane: NormalizedKey(key),
  body: "{}",
  stage: undefined,
  urgent: true,
  occurredAt: EpochMillis(0),
  publishedAt: EpochMillis(0),
  project,
  unfit: undefined
})

const soon = Schedule.intersect(Schedule.spaced("100 millis"), Schedule.recurs(150))

const eventually = (assertion: () => void) => Effect.retry(Effect.try(assertion), soon)

describePostgres("replicas on one Postgres", () => {
  /** A replica with what it leads now, until it is closed. */
  const replica = (
    database: Layer.Layer<Storage, unknown>,
    all: Context.Tag.Service<Destinations>["all"] = destinations
  ) =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
      const leads = new Map<string, Term>()
      const services = yield* Layer.buildWithScope(
        Layer.scopedDiscard(Effect.flatMap(Leadership, ({ whileSending }) =>
          whileSending((term, isLed) =>
            Effect.acquireRelease(
              Effect.sync(() => names.filter(isLed).forEach((name) => leads.set(name, term))),
              () => Effect.sync(() => names.filter(isLed).forEach((name) => leads.delete(name)))
            )
          ))).pipe(
            Layer.provideMerge(Leadership.layer),
            Layer.provideMerge(Outbox.layer),
            Layer.provideMerge(Layer.fresh(database)),
            Layer.provide(Layer.succeed(Destinations, { all }))
          ),
        scope
      )
      const parts = Effect.all({ leadership: Leadership, outbox: Outbox, storage: Storage })
      return { ...(yield* Effect.provide(parts, services)), leads, close: Scope.close(scope, Exit.void) }
    })

  it.scopedLive(
    "share the destinations, each with its own turns; who ends leaves its own to the others",
    () =>
      Effect.gen(function*() {
        const database = yield* inPostgres.database
        const first = yield* replica(database)
        yield* eventually(() => assert.strictEqual(first.leads.size, 5))
        const second = yield* replica(database)
        yield* eventually(() => {
          assert.strictEqual(first.leads.size, 3)
          assert.strictEqual(second.leads.size, 2)
        })
        assert.deepStrictEqual([...first.leads.keys(), ...second.leads.keys()].sort(), [...names].sort())
        assert.isTrue(names.every((name) => second.leadership.isElsewhere(name) === first.leads.has(name)))
        const shown = yield* first.leadership.replicas
        assert.deepStrictEqual(shown.map(({ isMain, leads }) => [isMain, leads]), [
          [true, [...first.leads.keys()].sort()],
          [false, [...second.leads.keys()].sort()]
        ])

        // Each event is folded by its own leader, and counted once.
        for (const [n, name] of names.entries()) yield* first.outbox.publish(event(`${n}`, `${name}-1`, name))
        yield* first.outbox.publish(event("nobody's", "XX-1", ""))
        const folded = (by: typeof first) =>
          Effect.gen(function*() {
            for (const term of new Set(by.leads.values())) yield* by.outbox.fold(term)
            const { read, sql } = by.storage
            const rows = yield* read(sql<{ lane: string }>`SELECT lane_name AS lane FROM plane_sync_event
            WHERE folded = 1 ORDER BY lane_name`)
            return rows.map(({ lane }) => lane)
          })
        assert.deepStrictEqual(yield* folded(second), [...second.leads.keys()].map((name) => `${name}-1`).sort())
        assert.strictEqual((yield* folded(first)).length, 6)
        assert.strictEqual((yield* first.outbox.status).pending, 6)

        // What a leader has settled is settled for all who count.
        const [name, term] = [...second.leads].at(0) ?? ["", undefined]
        if (term === undefined) return yield* Effect.dieMessage("it leads")
        const claim: ClaimPolicy = {
          projects: [name],
          urgentAfter: 1_000,
          plan: ({ comments: [owed], now }): Step =>
            owed === undefined ? { _tag: "Wait", dueAt: now } : { _tag: "Unfit", event: owed, reason: "a test" }
        }
        yield* second.outbox.turn({ ...term, claim })
        assert.deepInclude(yield* first.outbox.status, { pending: 5, dead: 1 })

        const { elsewhere } = first.storage
        if (elsewhere === undefined) return yield* Effect.dieMessage("others can be told")
        const { heard, heardFree, isHearing } = elsewhere
        yield* Effect.repeat(isHearing, { until: (hears) => hears, schedule: soon })
        // Who could not lead gives nothing up. It would be told before what is told after it.
        const free = yield* heardFree.mark
        const mark = yield* heard.mark
        const refused = yield* Effect.flip(Effect.scoped(second.outbox.becomeLeader({ holder: "late", byLease: true })))
        assert.strictEqual(refused._tag, "LeaderActive")
        yield* second.storage.elsewhere?.tell ?? Effect.void
        yield* Effect.timeout(heard.since(mark), "20 seconds")
        assert.strictEqual(yield* heardFree.mark, free)

        yield* second.close
        yield* Effect.timeout(heardFree.since(free), "20 seconds")
        yield* eventually(() => assert.strictEqual(first.leads.size, 5))
        assert.isEmpty([...second.leads])
      }),
    60_000
  )

  it.scopedLive(
    "whose settings begin with different projects lead them all, also where each has what the other must lead",
    () =>
      Effect.gen(function*() {
        const database = yield* inPostgres.database
        const main = yield* replica(database, [["WEB"], ["ET"], ["DOC"]])
        yield* eventually(() => assert.strictEqual(main.leads.size, 3))
        const one = yield* replica(database, [["ET"], ["DOC"]])
        yield* eventually(() => assert.deepStrictEqual([...one.leads.keys()], ["DOC"]))
        const other = yield* replica(database, [["DOC"], ["ET"]])
        yield* eventually(() => assert.deepStrictEqual([...other.leads.keys()], ["ET"]))

        // Who leads what is of no project leads its first one too, and the other has that.
        yield* main.close
        const both = () => [...one.leads.keys(), ...other.leads.keys()].sort()
        yield* Effect.repeat(one.leadership.replicas, {
          until: (replicas) => replicas.some(({ alive, isMain }) => alive && isMain),
          schedule: Schedule.spaced("100 millis")
        }).pipe(Effect.timeout("40 seconds"))
        yield* eventually(() => assert.deepStrictEqual(both(), ["DOC", "ET"]))
      }),
    90_000
  )
})
