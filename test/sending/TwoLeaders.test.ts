import { assert, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Logger, LogLevel, Random, Scope } from "effect"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Leadership } from "../../src/outbox/Leadership.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { makeTerms } from "../../src/outbox/Terms.js"
import { everythingElse } from "../../src/outbox/Turns.js"
import { Fault, PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { Storage } from "../../src/storage/Storage.js"
import { WakeUps } from "../../src/storage/WakeUps.js"
import { inPostgres } from "../support/Engines.js"
import { describePostgres } from "../support/Postgres.js"
import { pipelineOver, settingsFor } from "./Pipeline.js"

// Each is another state than the one before.
const stages = ["analysis", "created", "review", "done"] as const

/** An election that says yes to everybody: who has lost its row takes it back, whoever has it, eight times. */
const yesToAll = (taken: Array<string>) =>
  Layer.scoped(
    Leadership,
    Effect.gen(function*() {
      const outbox = yield* Outbox
      const { sql, write } = yield* Storage
      const terms = yield* makeTerms
      const take = (holder: string) =>
        write(sql`DELETE FROM plane_sync_sender`).pipe(
          Effect.zipRight(outbox.becomeLeader({ holder, projects: [everythingElse, "ET"] })),
          Effect.tap(Effect.sync(() => taken.push(holder)))
        )
      yield* Effect.ignore(terms.lead(take)).pipe(
        Effect.zipRight(Effect.flatMap(Random.nextRange(50, 800), Effect.sleep)),
        Effect.repeatN(7),
        Effect.forkScoped
      )
      return Leadership.of({
        whileLeading: terms.during,
        whileSending: (work) => terms.during((term) => work(term, () => true)),
        isElsewhere: () => false,
        standby: Effect.succeed(undefined),
        replicas: Effect.succeed([])
      })
    })
  )

describePostgres("the row of the leader, whoever else believes to lead", () => {
  it.scopedLive(
    "of two that take it from each other again and again, Plane is told everything once and in order",
    () =>
      Effect.gen(function*() {
        const memory = yield* Layer.build(PlaneSimulator.layerMemory({ rateLimit: "off", latency: "60 millis" }))
        const plane = Context.get(memory, PlaneSimulator)
        // Given up by the client, and executed all the same, within the quiet time.
        for (const method of ["POST", "PATCH"]) {
          yield* plane.misbehave(Fault.ApplyLate({ match: { method }, count: 10, afterMillis: 800 }))
        }
        const database = yield* inPostgres.database
        const taken = [new Array<string>(), new Array<string>()] as const
        const settings = {
          ORCH_PLANE_RATE_LIMIT: "1000/second",
          ORCH_PLANE_TIMEOUT: "500 millis",
          ORCH_PLANE_QUIET: "1 second",
          // What is cut off counts as a try without an answer.
          ORCH_PLANE_MAX_ATTEMPTS: "1000",
          ORCH_PLANE_MAX_BACKOFF: "100 millis"
        }
        const process = (takes: Array<string>) =>
          Effect.gen(function*() {
            const scope = yield* Scope.make()
            yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
            const services = yield* Layer.fresh(database).pipe(
              (storage) => pipelineOver(storage, WakeUps.layerPolling("200 millis"), yesToAll(takes)),
              Layer.provide(settingsFor(settings)),
              Layer.buildWithScope(scope),
              Effect.provide(memory)
            )
            return { services, end: Scope.close(scope, Exit.void) }
          })
        const [first, second] = yield* Effect.all([process(taken[0]), process(taken[1])])

        const items = yield* Effect.replicateEffect(plane.addWorkItem({ name: "Hut", state: "Todo" }), 6)
        yield* Effect.forEach(stages, (to, n) =>
          Effect.forEach(items, ({ key }) =>
            Effect.zipRight(
              StageEvents.pipe(
                Effect.flatMap(({ publish }) =>
                  publish(StageEvent.StageChanged({ workItem: key, from: stages[n - 1] ?? "created", to }))
                ),
                Effect.provide(n % 2 === 0 ? first.services : second.services)
              ),
              Effect.sleep("150 millis")
            )))
        const { status } = Context.get(second.services, Outbox)
        yield* Effect.repeat(Effect.delay(status, "50 millis"), { until: ({ pending }) => pending === 0 }).pipe(
          Effect.timeout("60 seconds")
        )
        assert.deepInclude(yield* status, { pending: 0, dead: 0, delivered: items.length * stages.length })
        assert.isAbove(Math.min(taken[0].length, taken[1].length), 2)

        for (const { id } of items) {
          const told = (yield* plane.comments(id)).flatMap(({ html }) => html.match(/(?<=→ )\w+/g) ?? [])
          assert.deepStrictEqual(told, [...stages])
          // Some states are passed over, and none is set again after a later one.
          const states = (yield* plane.stateChanges(id)).map(({ to }) => to.name)
          assert.match(["Todo", ...states].join(), /^(Todo,)(In Progress,)?(Todo,)?(In Progress,)?Done$/)
        }
        yield* Effect.zipRight(first.end, second.end)
      }).pipe(Logger.withMinimumLogLevel(LogLevel.Fatal)),
    90_000
  )
})
