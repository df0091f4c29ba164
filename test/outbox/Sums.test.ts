import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, FastCheck, Layer, TestContext } from "effect"
import { setImmediate } from "node:timers/promises"
import { EpochMillis, MonotonicMillis } from "../../src/base/Time.js"
import { defaultTexts } from "../../src/domain/CommentTexts.js"
import { CommentId, ItemId } from "../../src/domain/Ids.js"
import { defaultStageStates, StateId } from "../../src/domain/StageStates.js"
import { CanonicalKey, NormalizedKey } from "../../src/domain/WorkItemKey.js"
import type { DeliveryKind } from "../../src/outbox/DeliveryKind.js"
import type { Job } from "../../src/outbox/Job.js"
import { leaveStates } from "../../src/outbox/LeftStates.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import type { LookOutcome, OutcomeOf, SendOutcome, Settlement } from "../../src/outbox/Outcome.js"
import type { EventStatus } from "../../src/outbox/StoredEvent.js"
import { nextStep } from "../../src/sending/NextStep.js"
import { Storage } from "../../src/StorageLayers.js"
import * as MovableClock from "../support/MovableClock.js"

type Action =
  | {
    readonly _tag: "Publish"
    readonly key: number
    readonly stage: string | undefined
    readonly isUnfit: boolean
  }
  | { readonly _tag: "Turn"; readonly outcome: number }
  | { readonly _tag: "Retry"; readonly code: number }
  | { readonly _tag: "Discard"; readonly code: number }
  | { readonly _tag: "Leave"; readonly key: number; readonly isFound: boolean }
  | { readonly _tag: "Prune" }
  | { readonly _tag: "Fold" }

const upTo = (max: number) => FastCheck.integer({ min: 0, max })

const actions: FastCheck.Arbitrary<Array<Action>> = FastCheck.array(
  FastCheck.oneof(
    {
      weight: 4,
      arbitrary: FastCheck.record({
        _tag: FastCheck.constant("Publish" as const),
        key: upTo(2),
        stage: FastCheck.constantFrom("analysis", "review", "done", undefined),
        isUnfit: FastCheck.constantFrom(false, false, false, false, true)
      })
    },
    { weight: 8, arbitrary: FastCheck.record({ _tag: FastCheck.constant("Turn" as const), outcome: upTo(8) }) },
    { weight: 1, arbitrary: FastCheck.record({ _tag: FastCheck.constant("Retry" as const), code: upTo(3) }) },
    { weight: 1, arbitrary: FastCheck.record({ _tag: FastCheck.constant("Discard" as const), code: upTo(3) }) },
    {
      weight: 1,
      arbitrary: FastCheck.record({
        _tag: FastCheck.constant("Leave" as const),
        key: upTo(2),
        isFound: FastCheck.boolean()
      })
    },
    { weight: 1, arbitrary: FastCheck.record({ _tag: FastCheck.constant("Prune" as const) }) },
    { weight: 1, arbitrary: FastCheck.record({ _tag: FastCheck.constant("Fold" as const) }) }
  ),
  { minLength: 5, maxLength: 80 }
)

const codes = ["refused", "attempts", "gone", "unfit"] as const
const holder = "me"
const seen = { state: null, cancelled: false, completed: false, readAt: MonotonicMillis(0), updatedAt: null }

const looks: ReadonlyArray<LookOutcome> = [
  { _tag: "Missed", dueAt: EpochMillis(0), reason: "nobody has it" },
  { _tag: "LaneDead", code: "gone", reason: "deleted", gone: true },
  { _tag: "Later", dueAt: EpochMillis(0), counted: true, reason: "no answer" }
]

const anyKind = [
  { _tag: "Later", dueAt: EpochMillis(0), counted: true, reason: "no answer", maybeDone: true },
  { _tag: "Dead", code: "refused", reason: "no" },
  { _tag: "Dead", code: "attempts", reason: "no answer" },
  { _tag: "LaneDead", code: "gone", reason: "deleted", gone: true }
] as const

/** Only as each kind can end. A retried comment that was withheld, like a state, would be owed and never sent. */
const sendings: { readonly [Kind in DeliveryKind]: ReadonlyArray<OutcomeOf[Kind]> } = {
  state: [
    ...anyKind,
    { _tag: "Withheld", reason: "no such state" },
    { _tag: "Left", reason: "a person has cancelled it", seen: { ...seen, cancelled: true } }
  ],
  comment: [
    ...anyKind,
    { _tag: "Split", reason: "no", unanswered: false },
    {
      _tag: "Taken",
      commentId: CommentId("theirs"),
      tells: ({ sequence }) => sequence % 2 === 0,
      says: () => false,
      nextExternalId: "next"
    }
  ],
  recount: [...anyKind, { _tag: "CommentGone", reason: "deleted" }]
}

/** Work items 0 and 1 are one, whose key was written in two ways. */
const itemOf = (key: string) => ItemId(key === "ET-3" ? "item-3" : "item-1")

/** How a job ends. */
const settlementOf = (job: Job, outcome: number): Settlement => {
  if (job._tag === "Look") {
    const found: LookOutcome = {
      _tag: "Found",
      itemId: itemOf(job.key),
      key: CanonicalKey(job.key === "ET-3" ? "ET-3" : "ET-1"),
      seen
    }
    return { _tag: "Looked", job, outcome: looks[outcome] ?? found }
  }
  if (job._tag === "Check") return { _tag: "Checked", job, outcome: { _tag: "Stands", reason: "nobody can tell" } }
  if (job._tag === "Twins") {
    const comments = job.comments.map(({ delivery }) => ({ delivery, reason: undefined }))
    return { _tag: "TwinsSettled", job, outcome: { _tag: "Compared", comments } }
  }
  if (job._tag === "Assign" || job._tag === "LookBack") {
    return { _tag: "AssignSettled", job, outcome: { _tag: "AssignGivenUp", reason: "no", isRefused: false } }
  }
  if (job._tag === "Link") return { _tag: "LinkSettled", job, outcome: { _tag: "Unlinked" } }
  const delivered: SendOutcome = {
    _tag: "Delivered",
    commentId: CommentId("comment"),
    seen: job.delivery.kind === "state" ? { ...seen, state: StateId(job.delivery.body) } : undefined
  }
  return { _tag: "Sent", job, outcome: sendings[job.delivery.kind][outcome] ?? delivered }
}

const plan = nextStep({
  stages: new Map(Array.from(defaultStageStates, ([stage, id]) => [stage, { id }])),
  states: () => defaultStageStates,
  comments: "joined",
  setting: "the table",
  texts: defaultTexts,
  pipeline: [],
  linkAddress: Either.right
})

const keys = ["ET-001", "ET-1", "ET-3"]

const run = (history: ReadonlyArray<Action>, shift: MovableClock.MovableClock["shift"]) =>
  Effect.gen(function*() {
    const outbox = yield* Outbox
    const { read, sql, write } = yield* Storage
    yield* outbox.becomeLeader({ holder })
    let held: Settlement | undefined
    for (const [index, action] of history.entries()) {
      yield* shift(60_000)
      switch (action._tag) {
        case "Publish": {
          const { isUnfit, key, stage } = action
          const workItem = keys[key] ?? ""
          yield* outbox.publish({
            id: `event-${index}`,
            workItem,
            lane: isUnfit ? undefined : NormalizedKey(workItem),
            body: JSON.stringify(
              stage === undefined
                ? { type: "quality_gate_failed", workItem, stage: "review", check: "lint", reason: `${index % 2}` }
                : { type: "stage_changed", workItem, from: "created", to: stage }
            ),
            stage,
            urgent: stage === undefined,
            occurredAt: EpochMillis(index),
            publishedAt: EpochMillis(index),
            project: "ET",
            unfit: isUnfit ? "no key" : undefined
          })
          break
        }
        case "Turn": {
          const job = yield* outbox.turn({
            holder,
            settlement: held,
            claim: { projects: ["ET", ""], urgentAfter: 1e9, plan }
          })
          held = job && settlementOf(job, action.outcome)
          break
        }
        case "Retry":
          yield* outbox.retry({ code: codes[action.code] ?? "gone" })
          break
        case "Discard":
          yield* outbox.discard({ code: codes[action.code] ?? "gone" })
          break
        case "Leave": {
          const key = keys[action.key] ?? ""
          const itemId = action.isFound ? itemOf(key) : undefined
          yield* write(leaveStates(sql, { key: NormalizedKey(key), itemId }))
          break
        }
        case "Prune":
          yield* outbox.prune(EpochMillis(index - 20))
          break
        case "Fold":
          yield* outbox.fold({ holder })
          break
      }
      const counted = yield* read(sql<{ status: EventStatus; events: number }>`SELECT status, count(*) AS events
        FROM plane_sync_event GROUP BY status`)
      const { dead, delivered, discarded, pending } = yield* outbox.status
      const shown = { pending, delivered, dead, discarded }
      const empty = { pending: 0, delivered: 0, dead: 0, discarded: 0 }
      const expected = { ...empty, ...Object.fromEntries(counted.map(({ events, status }) => [status, events])) }
      assert.deepStrictEqual(shown, expected, `after ${index}: ${JSON.stringify(action)}`)
      const wrong = yield* read(sql`SELECT name, owed, due_at FROM (SELECT name, due_at, holder, owed,
          (SELECT count(*) FROM plane_sync_event e WHERE e.lane = l.id AND e.status = 'pending'
            AND e.folded = 1) AS counted FROM plane_sync_lane l) sums
        WHERE owed <> counted OR (due_at IS NULL AND counted > 0)`)
      assert.deepStrictEqual(wrong, [], `after ${index}: ${JSON.stringify(action)}`)
    }
  }).pipe(Effect.scoped, Effect.provide(Layer.provideMerge(Outbox.layer, Storage.layerFile(":memory:"))))

const checked = (history: ReadonlyArray<Action>) =>
  Effect.clock.pipe(
    // A TestClock's own adjust waits for real milliseconds.
    Effect.map((clock) => MovableClock.make(clock)),
    Effect.flatMap(({ clock, shift }) => Effect.withClock(run(history, shift), clock)),
    Effect.provide(TestContext.TestContext)
  )

// A number and not a time, so that a slow machine makes them all.
const numRuns = Number(process.env["PROPERTY_RUNS"] ?? 40)

const stageChanged: Action = { _tag: "Publish", key: 0, stage: "analysis", isUnfit: false }
const gateFailed: Action = { _tag: "Publish", key: 0, stage: undefined, isUnfit: false }
const turns = (...outcomes: ReadonlyArray<number>) => outcomes.map((outcome): Action => ({ _tag: "Turn", outcome }))
const [refused, attempts, well] = [1, 2, 8]

/** What makes a dead letter, and retries it. Outcomes are those of `sendings`. */
const retried = {
  state: [stageChanged, ...turns(well, attempts, refused, well), { _tag: "Retry", code: 1 }],
  comment: [stageChanged, ...turns(well, refused, attempts, well), { _tag: "Retry", code: 1 }],
  // The reasons of failures are the same at even places.
  recount: [gateFailed, ...turns(well, well, well), gateFailed, ...turns(attempts, well), { _tag: "Retry", code: 1 }]
} satisfies Record<DeliveryKind, ReadonlyArray<Action>>

describe("the sums that are kept", () => {
  it.effect("equal the counts, however a retried dead letter ends", () =>
    Effect.forEach(
      Object.values(retried),
      (history) =>
        Effect.forEach(turns(0, 1, 2, 3, 4, 5, well), (turn) =>
          checked([...history, turn, { _tag: "Fold" }, ...turns(well, well)]))
    ))

  it.effect(
    "equal the counts, whatever is published, sent, left, retried, discarded and pruned",
    () =>
      Effect.promise(() =>
        FastCheck.assert(
          // Vitest's worker gives up when the event loop has had no turn for a minute.
          FastCheck.asyncProperty(actions, (history) => Effect.runPromise(checked(history)).then(() => setImmediate())),
          { numRuns }
        )
      ),
    120_000
  )
})
