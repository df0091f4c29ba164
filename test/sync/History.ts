import * as HttpClient from "@effect/platform/HttpClient"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as SqlClient from "@effect/sql/SqlClient"
import { Effect, FastCheck, Layer, Scope } from "effect"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { Storage } from "../../src/outbox/Storage.js"
import { Fault } from "../../src/simulator/PlaneSimulator.js"
import { pipelineOver, settingsFor } from "./Pipeline.js"

/** A step of a history. */
export type Step =
  | {
    readonly _tag: "Publish"
    readonly item: number
    /** By its key with leading zeros. */
    readonly zeros: boolean
    readonly kind: StageEvent["_tag"]
  }
  /** Requests are refused for no reason: their events become dead letters. */
  | { readonly _tag: "Refuse"; readonly fault: Fault }
  | { readonly _tag: "RetryDead" }
  | { readonly _tag: "Misbehave"; readonly fault: Fault }
  | { readonly _tag: "Pass"; readonly millis: number }
  | { readonly _tag: "Kill" }
  /** The computer's clock is set; what sleeps, sleeps on. */
  | { readonly _tag: "SetClock"; readonly millis: number }

/** Work items of a history. */
export const itemCount = 3

const count = FastCheck.integer({ min: 1, max: 4 })

// Trouble that Plane recovers from: none of it may cost an event.
const makers: ReadonlyArray<(count: number) => Fault> = [
  (count) => Fault.Down({ count }),
  (count) => Fault.Silent({ count }),
  (count) => Fault.Status({ count, status: 500, when: "before" }),
  (count) => Fault.Status({ count, status: 503, when: "after" }),
  (count) => Fault.Status({ count, status: 502, when: "after", html: true }),
  (count) => Fault.Reset({ count, when: "before" }),
  (count) => Fault.Reset({ count, when: "after" }),
  (count) => Fault.Reset({ count, when: "midBody" }),
  (count) => Fault.Truncated({ count }),
  (count) => Fault.ByteByByte({ count, everyMillis: 900 }),
  (count) => Fault.ApplyLate({ count, afterMillis: 25_000 }),
  (count) => Fault.TooMany({ count, retryAfter: "7" }),
  (count) => Fault.EmptyOk({ count, when: "after" }),
  (count) => Fault.NoId({ count })
]

const fault: FastCheck.Arbitrary<Fault> = FastCheck.tuple(FastCheck.constantFrom(...makers), count)
  .map(([make, count]) => make(count))

const hour = 3_600_000

// From what a time server corrects to what a wrong time zone, or a person, does.
const shifts = [200, 5_000, 29_000, 600_000, hour, 24 * hour].flatMap((millis) => [millis, -millis])

const publish: FastCheck.Arbitrary<Step> = FastCheck.record({
  _tag: FastCheck.constant("Publish" as const),
  item: FastCheck.nat(itemCount - 1),
  zeros: FastCheck.boolean(),
  kind: FastCheck.constantFrom<StageEvent["_tag"]>("StageChanged", "QualityGateFailed", "TaskCompleted")
})

const setClock = FastCheck.constantFrom(...shifts).map((millis): Step => ({ _tag: "SetClock", millis }))

const pass = (...millis: ReadonlyArray<number>) =>
  FastCheck.constantFrom(...millis).map((millis): Step => ({ _tag: "Pass", millis }))

// By chance it hardly ever comes to this: the clock is set while Plane still does what nobody waits for any more, and
// whoever publishes then wakes the workers up.
const setWhileLate = FastCheck.tuple(
  FastCheck.constant<Step>({ _tag: "Misbehave", fault: Fault.ApplyLate({ count: 1, afterMillis: 25_000 }) }),
  publish,
  pass(500, 12_000),
  setClock,
  publish,
  pass(500, 12_000),
  publish
)

const step = FastCheck.oneof(
  { weight: 6, arbitrary: publish },
  { weight: 3, arbitrary: fault.map((fault): Step => ({ _tag: "Misbehave", fault })) },
  { weight: 3, arbitrary: pass(1, 500, 5_000, 12_000, 40_000) },
  { weight: 1, arbitrary: FastCheck.constant<Step>({ _tag: "Kill" }) },
  { weight: 1, arbitrary: setClock },
  {
    weight: 1,
    arbitrary: FastCheck.constantFrom("before" as const, "after" as const).map((when): Step => ({
      _tag: "Refuse",
      fault: Fault.Status({ count: 1, status: 400, when })
    }))
  },
  { weight: 1, arbitrary: FastCheck.constant<Step>({ _tag: "RetryDead" }) }
)

/** Histories in which publishing, trouble, time, kills and a clock that is set follow each other at random. */
export const histories: FastCheck.Arbitrary<Array<Step>> = FastCheck.array(
  FastCheck.oneof(
    { weight: 16, arbitrary: step.map((one): ReadonlyArray<Step> => [one]) },
    { weight: 1, arbitrary: setWhileLate }
  ),
  { minLength: 5, maxLength: 36 }
).map((parts) => parts.flat())

const stageNames = ["analysis", "review", "security audit", "deploy", "done"]

/** The n-th event of a history. Its number stands in its text, so that a line in Plane is one event's. */
export const eventOf = (n: number, workItem: string, kind: StageEvent["_tag"]): StageEvent => {
  switch (kind) {
    case "StageChanged":
      return StageEvent.StageChanged({ workItem, from: `stage ${n}`, to: stageNames[n % stageNames.length] ?? "done" })
    case "QualityGateFailed":
      return StageEvent.QualityGateFailed({ workItem, stage: "review", check: "lint", reason: `failure ${n}` })
    case "TaskCompleted":
      return StageEvent.TaskCompleted({ workItem })
  }
}

/**
 * The pipeline as a process that can be killed: from then on no request leaves it and nothing more is written, while what
 * Plane has received it goes on with.
 */
export const killable = (database: string) =>
  Effect.gen(function*() {
    let killed = false
    const alive = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.suspend(() => killed ? Effect.never : effect)
    const whileAlive = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      alive(Effect.flatMap(effect, (a) => alive(Effect.succeed(a))))

    const storage = Layer.effect(
      Storage,
      Effect.map(Storage, (open) =>
        Storage.of({
          ...open,
          write: (effect) => whileAlive(open.write(effect)),
          writeAlone: (effect) => whileAlive(open.writeAlone(effect))
        }))
    ).pipe(Layer.provide(Storage.layerFile(database)))
    const client = Layer.effect(
      HttpClient.HttpClient,
      Effect.map(HttpClient.HttpClient, HttpClient.transform(whileAlive))
    )
    const context = yield* Layer.buildWithScope(
      pipelineOver(storage).pipe(
        Layer.provide(client),
        Layer.provide(settingsFor({ ORCH_PLANE_MAX_ATTEMPTS: "1000" }))
      ),
      yield* Scope.make()
    )
    const kill = Effect.gen(function*() {
      killed = true
      // In this process a dead one cannot be told by its pid.
      yield* Effect.flatMap(SqlClient.SqlClient, (sql) => sql`DELETE FROM plane_sync_sender`).pipe(
        Effect.provide(SqliteClient.layer({ filename: database }))
      )
    })
    return { context, kill }
  })
