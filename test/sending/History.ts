import * as HttpClient from "@effect/platform/HttpClient"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as SqlClient from "@effect/sql/SqlClient"
import type { Clock } from "effect"
import { Effect, FastCheck, Fiber, Layer, Scope } from "effect"
import { StageEvent } from "../../src/domain/StageEvent.js"
import type { FaultMatch } from "../../src/simulator/PlaneSimulator.js"
import { Fault } from "../../src/simulator/PlaneSimulator.js"
import { WakeUps } from "../../src/storage/WakeUps.js"
import { Storage } from "../../src/StorageLayers.js"
import { immediateDisk } from "../support/ImmediateDisk.js"
import { pipelineOver, settingsFor } from "./Pipeline.js"

/** What a history's orchestrator, Plane, people and computer do, one after the other. */
export interface History {
  /**
   * `ORCH_PLANE_MAX_ATTEMPTS`: with few, trouble costs an event its attempts, and it is a dead letter until it is
   * retried.
   */
  readonly maxAttempts: number
  readonly steps: ReadonlyArray<Step>
}

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
  /** All dead letters that there are. */
  | { readonly _tag: "RetryDead" }
  /** A person moves a work item to a state, by its name. */
  | { readonly _tag: "Move"; readonly item: number; readonly to: string }
  | { readonly _tag: "Misbehave"; readonly fault: Fault }
  | { readonly _tag: "Pass"; readonly millis: number }
  | { readonly _tag: "Kill" }
  /** Another process sends from now on; the one that did is suspended, for so long. What Plane has of it goes on. */
  | { readonly _tag: "TakeOver"; readonly millis: number }
  /** The computer's clock is set; what sleeps, sleeps on. */
  | { readonly _tag: "SetClock"; readonly millis: number }

/** Work items of a history. */
export const itemCount = 3

type Which = { readonly count: number; readonly match: FaultMatch }

const comments: FaultMatch = { method: "POST", kind: "comments" }
const counts: FaultMatch = { method: "PATCH", kind: "comment" }
const states: FaultMatch = { method: "PATCH", kind: "item" }

// Trouble that Plane recovers from. As long as there are attempts left, none of it may cost an event.
const makers: ReadonlyArray<(which: Which) => Fault> = [
  (which) => Fault.Down(which),
  (which) => Fault.Silent(which),
  (which) => Fault.Silent({ ...which, when: "after" }),
  (which) => Fault.Status({ ...which, status: 500, when: "before" }),
  (which) => Fault.Status({ ...which, status: 503, when: "after" }),
  (which) => Fault.Status({ ...which, status: 502, when: "after", html: true }),
  (which) => Fault.Reset({ ...which, when: "before" }),
  (which) => Fault.Reset({ ...which, when: "after" }),
  (which) => Fault.Reset({ ...which, when: "midBody" }),
  (which) => Fault.Truncated(which),
  (which) => Fault.ByteByByte({ ...which, everyMillis: 900 }),
  (which) => Fault.ApplyLate({ ...which, afterMillis: 25_000 }),
  (which) => Fault.TooMany({ ...which, retryAfter: "7" }),
  (which) => Fault.EmptyOk({ ...which, when: "after" }),
  (which) => Fault.NoId(which)
]

// Without a kind most of it is met by looks and probes.
const match = FastCheck.constantFrom<FaultMatch>({}, comments, counts, states)

const trouble = (match: FastCheck.Arbitrary<FaultMatch>): FastCheck.Arbitrary<Step> =>
  FastCheck.tuple(
    FastCheck.constantFrom(...makers),
    FastCheck.record({ count: FastCheck.integer({ min: 1, max: 4 }), match })
  ).map(([make, which]) => ({ _tag: "Misbehave", fault: make(which) }))

const refusal: FastCheck.Arbitrary<Step> = FastCheck.oneof(
  FastCheck.record({ match, when: FastCheck.constantFrom("before" as const, "after" as const) }).map((how) =>
    Fault.Status({ ...how, count: 1, status: 400 })
  ),
  FastCheck.constant(Fault.IgnoreState({ count: 1, match: states }))
).map((fault) => ({ _tag: "Refuse", fault }))

const hour = 3_600_000

// From what a time server corrects to what a wrong time zone, or a person, does.
const shifts = [200, 5_000, 29_000, 600_000, hour, 24 * hour].flatMap((millis) => [millis, -millis])

const items = FastCheck.nat(itemCount - 1)
const kinds = FastCheck.constantFrom<StageEvent["_tag"]>("StageChanged", "QualityGateFailed", "TaskCompleted")

const publishOf = (item: FastCheck.Arbitrary<number>, kind: FastCheck.Arbitrary<StageEvent["_tag"]>) =>
  FastCheck.record({ item, zeros: FastCheck.boolean(), kind }).map((what): Step => ({ _tag: "Publish", ...what }))

const publish = publishOf(items, kinds)

const moveOf = (item: FastCheck.Arbitrary<number>) =>
  FastCheck.record({ item, to: FastCheck.constantFrom("Cancelled", "Cancelled", "Backlog", "In Progress", "Done") })
    .map(
      (what): Step => ({ _tag: "Move", ...what })
    )

const setClock = FastCheck.constantFrom(...shifts).map((millis): Step => ({ _tag: "SetClock", millis }))

const pass = (...millis: ReadonlyArray<number>) =>
  FastCheck.constantFrom(...millis).map((millis): Step => ({ _tag: "Pass", millis }))

const kill = FastCheck.constant<Step>({ _tag: "Kill" })
const takeOver = FastCheck.constantFrom(0, 12_000, 40_000).map((millis): Step => ({ _tag: "TakeOver", millis }))
const retryDead = FastCheck.constant<Step>({ _tag: "RetryDead" })

// By chance it hardly ever comes to this: the clock is set while Plane still does what nobody waits for any more, and
// whoever publishes then wakes the workers up.
const setWhileLate = FastCheck.tuple(
  FastCheck.constant<Step>({ _tag: "Misbehave", fault: Fault.ApplyLate({ count: 1, match: {}, afterMillis: 25_000 }) }),
  publish,
  pass(500, 12_000),
  setClock,
  publish,
  pass(500, 12_000),
  publish
)

// Nor to this: a gate fails again for the reason that was told last (every other step has the same), and telling how
// often meets trouble.
const failedAgain = items.chain((item) => {
  const failed = publishOf(FastCheck.constant(item), FastCheck.constant("QualityGateFailed"))
  return FastCheck.tuple(
    failed,
    pass(500, 40_000),
    failed,
    FastCheck.oneof(trouble(FastCheck.constant(counts)), refusal),
    failed,
    pass(500, 12_000, 40_000),
    retryDead
  )
})

// Nor to this: a person moves what is not owed anything, and its stage changes after that, or does not.
const movedAtRest = items.chain((item) =>
  FastCheck.tuple(
    publishOf(FastCheck.constant(item), kinds),
    pass(40_000, 90_000),
    moveOf(FastCheck.constant(item)),
    pass(500, 29_000, 40_000),
    FastCheck.oneof(setClock, takeOver, kill, trouble(FastCheck.constant(states))),
    publishOf(FastCheck.constant(item), FastCheck.constantFrom("StageChanged", "TaskCompleted"))
  )
)

const step = FastCheck.oneof(
  { weight: 12, arbitrary: publish },
  { weight: 6, arbitrary: trouble(match) },
  { weight: 6, arbitrary: pass(1, 500, 5_000, 12_000, 40_000) },
  { weight: 2, arbitrary: kill },
  { weight: 1, arbitrary: takeOver },
  { weight: 2, arbitrary: setClock },
  { weight: 2, arbitrary: refusal },
  { weight: 2, arbitrary: retryDead },
  { weight: 2, arbitrary: moveOf(items) }
)

/** Histories in which all of it happens at random. */
export const histories: FastCheck.Arbitrary<History> = FastCheck.record({
  // Most of what is lived through is lived through with attempts left.
  maxAttempts: FastCheck.constantFrom(1_000, 1_000, 3, 1),
  steps: FastCheck.array(
    FastCheck.oneof(
      { weight: 16, arbitrary: step.map((one): ReadonlyArray<Step> => [one]) },
      { weight: 1, arbitrary: setWhileLate },
      { weight: 1, arbitrary: failedAgain },
      { weight: 1, arbitrary: movedAtRest }
    ),
    { minLength: 5, maxLength: 36 }
  ).map((parts) => parts.flat())
})

const stageNames = ["analysis", "review", "created", "security audit", "deploy", "done"]

/**
 * The n-th event of a history. The number of a stage change stands in its text, so that its line in Plane is one
 * event's. A gate has few reasons to fail: its failures are folded and counted, and told right where as many are told
 * as there were.
 */
export const eventOf = (n: number, workItem: string, kind: StageEvent["_tag"]): StageEvent => {
  switch (kind) {
    case "StageChanged":
      return StageEvent.StageChanged({
        workItem,
        from: `stage ${n}`,
        to: stageNames[n % stageNames.length] ?? "done",
        overruledBy: n % 3 === 0 ? `lea: <by hand ${n}>` : undefined
      })
    case "QualityGateFailed":
      return StageEvent.QualityGateFailed({ workItem, stage: "review", check: "lint", reason: `failure ${n % 2}` })
    case "TaskCompleted":
      return StageEvent.TaskCompleted({ workItem })
    case "QuestionAsked":
      return StageEvent.QuestionAsked({ workItem, question: `May table ${n} go?`, agent: "architect" })
  }
}

/**
 * The pipeline as a process that can be killed: from then on no request leaves it and nothing more is written, while
 * what Plane has received it goes on with. Or it is suspended and taken for dead: then another can become the sender,
 * and it goes on after that where it was.
 */
export const processOn = ({ database, maxAttempts, planeClock }: {
  readonly database: string
  readonly maxAttempts: number
  readonly planeClock: Clock.Clock
}) =>
  Effect.gen(function*() {
    const awake = yield* Effect.makeLatch(true)
    const whileAlive = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      Effect.zipRight(awake.await, Effect.flatMap(effect, (a) => Effect.as(awake.await, a)))

    const storage = Layer.effect(
      Storage,
      Effect.map(Storage, (open) =>
        Storage.of({
          ...open,
          read: (effect) => whileAlive(open.read(effect)),
          write: (effect) => whileAlive(open.write(effect)),
          writeAlone: (effect) => whileAlive(open.writeAlone(effect))
        }))
    ).pipe(Layer.provide(Layer.provide(Storage.layerFile(database), immediateDisk)))
    const client = Layer.effect(
      HttpClient.HttpClient,
      Effect.map(
        HttpClient.HttpClient,
        HttpClient.transform((request) => whileAlive(Effect.withClock(request, planeClock)))
      )
    )
    const context = yield* Layer.buildWithScope(
      // A process that was suspended may lead again, and learns by its polls alone what another one has published.
      pipelineOver(storage, WakeUps.layerPolling("20 seconds")).pipe(
        Layer.provide(client),
        Layer.provide(settingsFor({ ORCH_PLANE_MAX_ATTEMPTS: String(maxAttempts) }))
      ),
      yield* Scope.make()
    )
    // In this process a dead one cannot be told by its pid.
    const takenForDead = Effect.flatMap(SqlClient.SqlClient, (sql) => sql`DELETE FROM plane_sync_sender`).pipe(
      Effect.provide(SqliteClient.layer({ filename: database }))
    )
    return {
      context,
      kill: Effect.zipRight(awake.close, takenForDead),
      /**
       * Returns what wakes it up after some time. That returns what kills it for good: after it has woken up it stands
       * by, and may lead again.
       */
      suspend: Effect.as(Effect.zipRight(awake.close, takenForDead), (millis: number) =>
        Effect.map(
          Effect.forkScoped(Effect.delay(awake.open, millis)),
          (waking) => Effect.zipRight(Fiber.interrupt(waking), awake.close)
        ))
    }
  })
