import { Duration, Effect, Either } from "effect"
import { EpochMillis, MonotonicMillis } from "../../src/base/Time.js"
import type { CommentMode } from "../../src/domain/CommentMode.js"
import { defaultTexts } from "../../src/domain/CommentTexts.js"
import type { LaneId } from "../../src/domain/Ids.js"
import { CommentId, ItemId, LinkId, UserId } from "../../src/domain/Ids.js"
import { PlaneMoment } from "../../src/domain/PlaneMoment.js"
import { defaultStageStates, StateId } from "../../src/domain/StageStates.js"
import { CanonicalKey, NormalizedKey } from "../../src/domain/WorkItemKey.js"
import type { DeliveryKind } from "../../src/outbox/DeliveryKind.js"
import type { Job } from "../../src/outbox/Job.js"
import type { Observation } from "../../src/outbox/Observation.js"
import { observe } from "../../src/outbox/Observation.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import type {
  AssignedPatch,
  AssignOutcome,
  CheckOutcome,
  LinkOutcome,
  LookOutcome,
  SeenState,
  SendOutcome,
  Settlement,
  TwinsOutcome
} from "../../src/outbox/Outcome.js"
import type { ClaimPolicy } from "../../src/outbox/Plan.js"
import { giveAssignees } from "../../src/outbox/WantedAssignees.js"
import { nextStep } from "../../src/sending/NextStep.js"
import { Storage } from "../../src/StorageLayers.js"
import type { MovableClock } from "../support/MovableClock.js"

/** Some members of a union, by their tag. A tag that is missing is a type error. */
type ByTag<A extends { readonly _tag: string }> = {
  readonly [Tag in A["_tag"]]: readonly [
    Extract<A, { readonly _tag: Tag }>,
    ...Array<Extract<A, { readonly _tag: Tag }>>
  ]
}

const seen: SeenState = { state: null, cancelled: false, completed: false, readAt: MonotonicMillis(0), updatedAt: null }
const later = { _tag: "Later", dueAt: EpochMillis(0), counted: true, reason: "no answer" } as const
const gone = { _tag: "LaneDead", code: "gone", reason: "it was deleted", gone: true } as const
const taken = { _tag: "Taken", commentId: CommentId("another"), nextExternalId: "next" } as const

const looks: ByTag<LookOutcome> = {
  Found: [{ _tag: "Found", itemId: ItemId("item"), key: CanonicalKey("ET-1"), seen }],
  Missed: [{ _tag: "Missed", dueAt: EpochMillis(0), reason: "nobody has it" }],
  LaneDead: [{ ...gone, code: "not_found", gone: false }],
  Later: [later]
}

const sendings: ByTag<SendOutcome> = {
  Delivered: [{ _tag: "Delivered", commentId: CommentId("comment"), seen: undefined }],
  Left: [{ _tag: "Left", reason: "a person has cancelled it", seen }],
  CommentGone: [{ _tag: "CommentGone", reason: "it was deleted" }],
  Taken: [{ ...taken, tells: () => true, says: () => true }, { ...taken, tells: () => false, says: () => false }],
  Split: [{ _tag: "Split", reason: "no", unanswered: false }],
  Withheld: [{ _tag: "Withheld", reason: "no such state" }],
  Dead: [
    { _tag: "Dead", code: "refused", reason: "no" },
    { _tag: "Dead", code: "attempts", reason: "no answer" }
  ],
  LaneDead: [gone],
  Later: [{ ...later, maybeDone: true, refused: true }]
}

const checkings: ByTag<CheckOutcome> = {
  SetAgain: [{ _tag: "SetAgain", readAt: MonotonicMillis(0) }],
  Stands: [{ _tag: "Stands", reason: "somebody has moved it since" }],
  Later: [later]
}

const linkings: ByTag<LinkOutcome> = {
  Linked: [{ _tag: "Linked", linkId: LinkId("link"), isOurs: true }, {
    _tag: "Linked",
    linkId: LinkId("theirs"),
    isOurs: false
  }],
  Unlinked: [{ _tag: "Unlinked" }],
  LinkGivenUp: [{ _tag: "LinkGivenUp", reason: "no" }],
  LinkUnreachable: [{ _tag: "LinkUnreachable", reason: "no dot" }],
  ItemGone: [{ _tag: "ItemGone", reason: "it was deleted" }],
  Later: [{ ...later, maybeDone: true }]
}

const replaced = StateId("replaced")

const patch: AssignedPatch = {
  since: EpochMillis(0),
  by: UserId("us"),
  left: [UserId("lea")],
  isLast: false,
  isAlone: false,
  saved: { before: seen, state: replaced, updatedAt: PlaneMoment("2026-11-24T00:00:00.000000Z") }
}

const assignings: ByTag<AssignOutcome> = {
  Assigned: [
    {
      _tag: "Assigned",
      assigned: { people: [{ _tag: "There", id: 1, isOurs: true }, { _tag: "Out", id: 2 }], patch }
    },
    { _tag: "Assigned", assigned: { people: [{ _tag: "Refused", id: 3, reason: "a guest" }], patch: undefined } }
  ],
  LookedBack: [{ _tag: "LookedBack", restore: [{ user: UserId("jo"), isWanted: true }], touched: [1] }],
  AssignGivenUp: [{ _tag: "AssignGivenUp", reason: "no", isRefused: true }],
  ItemGone: [{ _tag: "ItemGone", reason: "it was deleted" }],
  Later: [later, { ...later, maybeDone: true }]
}

const linksTo = (...urls: ReadonlyArray<string>) =>
  urls.map((url, index) => ({ kind: `kind-${index}`, title: "a link", url: `https://example.com/${url}` }))

const cancel = { state: StateId("cancelled"), group: "cancelled" }

const placed = (body: string) => ({
  seen: { ...seen, state: StateId(body), updatedAt: PlaneMoment("2026-11-24T00:00:00.000000Z") },
  replaced,
  by: UserId("us")
})

const holder = "me"
const claimFor = (comments: CommentMode): ClaimPolicy => ({
  projects: ["ET", ""],
  urgentAfter: "1 minutes",
  plan: nextStep({
    stages: new Map(Array.from(defaultStageStates, ([stage, id]) => [stage, { id }])),
    states: () => defaultStageStates,
    comments,
    setting: "the table",
    texts: defaultTexts,
    pipeline: [],
    linkAddress: Either.right
  })
})

const stageChanged = { type: "stage_changed", from: "created", to: "analysis" }
const gateFailed = { type: "quality_gate_failed", stage: "review", check: "lint", reason: "no" }
const unreadable = { type: "of a later version" }

/**
 * Jobs of every kind that end in every way. Each story has a work item of its own: its events are published, what it
 * owes is worked off, and its dead letters are retried. `shift` moves the clock.
 */
export const everyOutcome = Effect.fnUntraced(function*(shift: MovableClock["shift"]) {
  const outbox = yield* Outbox
  // What is published is due at once.
  yield* shift(Duration.toMillis("1 hours"))
  const checks: Array<CheckOutcome> = []
  const twins: Array<TwinsOutcome> = []
  const links: Array<LinkOutcome> = []
  const assigns: Array<AssignOutcome> = []
  const lookBacks: Array<AssignOutcome> = []
  let stories = 0
  let events = 0

  const publish = (
    workItem: string,
    content: { readonly type: string; readonly to?: string },
    links?: ReturnType<typeof linksTo>
  ) =>
    outbox.publish({
      id: `told-${(events += 1)}`,
      workItem,
      lane: NormalizedKey(workItem),
      body: JSON.stringify({ ...content, workItem }),
      stage: content.to,
      urgent: content.to === undefined,
      occurredAt: EpochMillis(events),
      publishedAt: EpochMillis(events),
      project: "ET",
      unfit: undefined,
      links,
      usage: { model: `model ${events % 2}`, inputTokens: events }
    })

  const well = (job: Job): Settlement => {
    switch (job._tag) {
      case "Look": {
        const itemId = job.lane.itemId ?? ItemId(`item of ${job.key}`)
        return { _tag: "Looked", job, outcome: { _tag: "Found", itemId, key: CanonicalKey(job.key), seen } }
      }
      case "Send":
        return {
          _tag: "Sent",
          job,
          outcome: {
            _tag: "Delivered",
            commentId: job.delivery.commentId ?? CommentId(`comment ${job.delivery.id}`),
            ...(job.delivery.kind === "state" ? placed(job.delivery.body) : { seen: undefined }),
            ...(job.delivery.kind === "comment" ? { lookAgain: { at: EpochMillis(0), by: undefined } } : {})
          }
        }
      case "Check":
        return { _tag: "Checked", job, outcome: checks.shift() ?? { _tag: "Stands", reason: "somebody has moved it" } }
      case "Twins": {
        const comments = job.comments.map(({ delivery }) => ({ delivery, reason: "there were two" }))
        return { _tag: "TwinsSettled", job, outcome: twins.shift() ?? { _tag: "Compared", comments } }
      }
      case "Assign": {
        const people = job.due.map((id) => ({ _tag: "There", id, isOurs: true } as const))
        return {
          _tag: "AssignSettled",
          job,
          outcome: assigns.shift() ?? { _tag: "Assigned", assigned: { people, patch: undefined } }
        }
      }
      case "LookBack":
        return {
          _tag: "AssignSettled",
          job,
          outcome: lookBacks.shift() ?? { _tag: "LookedBack", restore: [], touched: [] }
        }
      case "Link": {
        const linked = { _tag: "Linked", linkId: LinkId(`link ${job.link.id}`), isOurs: true } as const
        return {
          _tag: "LinkSettled",
          job,
          outcome: links.shift() ?? (job.act === "add" ? linked : { _tag: "Unlinked" })
        }
      }
    }
  }

  /** Works off all that is owed. The first jobs that `end` knows end as it says, and all others well. */
  const work = (end: (job: Job) => Settlement | undefined = () => undefined, comments: CommentMode = "joined") =>
    Effect.gen(function*() {
      let settlement: Settlement | undefined
      const claim = claimFor(comments)
      for (let n = 0; n < 60; n++) {
        const job: Job | undefined = yield* outbox.turn({ holder, claim, settlement })
        if (job === undefined) break
        settlement = end(job) ?? well(job)
      }
    })

  const looked = (...outcomes: Array<LookOutcome>) => (job: Job): Settlement | undefined => {
    const outcome = job._tag === "Look" ? outcomes.shift() : undefined
    return job._tag === "Look" && outcome !== undefined ? { _tag: "Looked", job, outcome } : undefined
  }

  const sent = (kind: DeliveryKind, ...outcomes: Array<SendOutcome>) => (job: Job): Settlement | undefined => {
    const outcome = job._tag === "Send" && job.delivery.kind === kind ? outcomes.shift() : undefined
    return job._tag === "Send" && outcome !== undefined ? { _tag: "Sent", job, outcome } : undefined
  }

  const retryAll = Effect.forEach(
    ["not_found", "gone", "refused", "attempts"] as const,
    (code) => Effect.repeat(outbox.retry({ code }), { while: (retried) => retried > 0 })
  )

  /** Waits for the looks that come a while later. */
  const checked = Effect.zipRight(shift(2_000), work())

  const newItem = () => `ET-${100 + (stories += 1)}`

  for (const outcome of Object.values(looks).flat()) {
    const workItem = newItem()
    yield* publish(workItem, stageChanged)
    yield* publish(workItem, unreadable)
    yield* work(looked(outcome))
    yield* retryAll
    yield* work()
  }

  for (const kind of ["state", "comment", "recount"] as const) {
    for (const outcome of Object.values(sendings).flat()) {
      const workItem = newItem()
      for (let n = 0; n < 3; n++) yield* publish(workItem, kind === "recount" ? gateFailed : stageChanged)
      if (kind === "recount") {
        yield* work()
        yield* publish(workItem, gateFailed)
      }
      yield* work(sent(kind, outcome))
      yield* publish(workItem, stageChanged)
      yield* publish(workItem, unreadable)
      yield* work()
      yield* retryAll
      yield* work()
    }
  }
  // The living comment is made and edited. A person who deletes it a second time is left alone.
  const { CommentGone, Dead, LaneDead } = sendings
  for (const kind of ["comment", "recount"] as const) {
    for (const outcome of kind === "comment" ? Dead : [...CommentGone, ...Dead.slice(1), ...LaneDead]) {
      const workItem = newItem()
      const next = Effect.gen(function*() {
        yield* shift(31_000)
        for (const content of [stageChanged, gateFailed]) yield* publish(workItem, content)
      })
      yield* next
      if (kind === "recount") yield* Effect.zipRight(work(undefined, "living"), next)
      yield* work(sent(kind, outcome, outcome), "living")
      yield* next
      yield* work(sent(kind, outcome), "living")
      yield* next
      yield* work(undefined, "living")
      yield* retryAll
      yield* work(undefined, "living")
    }
  }
  // What becomes of a state is in doubt, and each check ends in each way; also while the state is being sent.
  const { read, sql, write } = yield* Storage
  const doubts = [{ isAside: true }, {
    state: defaultStageStates.get("analysis") ?? null,
    by: UserId("lea"),
    movedTo: cancel
  }]
  for (const more of doubts) {
    for (const outcome of Object.values(checkings).flat()) {
      const workItem = newItem()
      const news = (updatedAt: PlaneMoment): Observation => ({
        itemId: ItemId(`item of ${workItem}`),
        key: CanonicalKey(workItem),
        state: replaced,
        cancelled: false,
        completed: false,
        updatedAt,
        receivedAt: EpochMillis(0),
        isAside: false,
        ...more
      })
      yield* publish(workItem, stageChanged)
      yield* work()
      checks.push(outcome)
      yield* write(observe(sql, news(PlaneMoment("2026-11-24T00:00:01.000000Z"))))
      yield* write(observe(sql, news(PlaneMoment("2026-11-24T00:00:01.000000Z"))))
      yield* checked
      yield* write(observe(sql, news(PlaneMoment("2026-11-23T23:59:59.000000Z"))))
      yield* checked
    }
  }
  twins.push(later)
  yield* publish(newItem(), stageChanged)
  yield* checked

  // Each link ends in each way; then others take their places, also under another kind, and by another spelling.
  for (const outcome of Object.values(linkings).flat()) {
    const workItem = newItem()
    links.push(outcome)
    yield* publish(workItem, stageChanged, linksTo("one", "two"))
    yield* work()
    yield* publish(workItem, stageChanged, linksTo("two", "three"))
    yield* work()
    yield* publish(workItem, stageChanged, linksTo("four", "four"))
    yield* checked
  }

  // People are assigned and looked back at, each of which ends in each way, also together with a state.
  for (const outcome of Object.values(assignings).flat()) {
    for (const [queue, isFirst] of [[assigns, true], [lookBacks, false]] as const) {
      const workItem = newItem()
      const item = { key: NormalizedKey(workItem), itemId: ItemId(`item of ${workItem}`), project: "ET" }
      yield* write(giveAssignees(sql, { ...item, itemId: undefined }, ["lea@example.org"]))
      yield* publish(workItem, stageChanged)
      if (!isFirst) assigns.push(...assignings.Assigned)
      queue.push(outcome)
      yield* work()
      yield* shift(3_000)
      yield* work()
      yield* write(giveAssignees(sql, item, ["jo@example.org"]))
      yield* publish(workItem, stageChanged)
      yield* work()
      const [lane] = yield* read(
        sql<{ id: LaneId }>`SELECT id FROM plane_sync_lane WHERE id > 0 ORDER BY id DESC LIMIT 1`
      )
      if (lane !== undefined) {
        yield* outbox.noteAsked(lane.id, { ids: [1, 2], before: [UserId("jo")], since: EpochMillis(0) })
      }
      yield* write(giveAssignees(sql, item, []))
      yield* work()
    }
    assigns.length = 0
    lookBacks.length = 0
  }

  // A count that was updated lately waits.
  yield* shift(Duration.toMillis("11 minutes"))
  yield* work()

  // Plane has a comment that tells both parts of a split one.
  const workItem = newItem()
  for (let n = 0; n < 4; n++) yield* publish(workItem, stageChanged)
  yield* work(sent("comment", ...sendings.Split, ...sendings.Taken))
})
