import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, FastCheck, Runtime } from "effect"
import { EpochMillis } from "../../src/base/Time.js"
import { commonNames } from "../../src/domain/ProjectSettings.js"
import type { PullRequestRules } from "../../src/domain/PullRequestRules.js"
import { CanonicalKey } from "../../src/domain/WorkItemKey.js"
import { readStatuses, rememberStatuses } from "../../src/gitea/CheckRows.js"
import { readKeysOf } from "../../src/gitea/ClaimRows.js"
import { claimReader } from "../../src/gitea/Claims.js"
import type { PullRequest, PullRequestSeen } from "../../src/gitea/Facts.js"
import { readPullRequestsOf, rememberPullRequest } from "../../src/gitea/PullRequestRows.js"
import { readReviews, rememberReview } from "../../src/gitea/ReviewRows.js"
import { standingOf, whyNot } from "../../src/gitea/Standing.js"
import { eachOpen, mergedVerdict } from "../../src/gitea/Verdicts.js"
import { Storage } from "../../src/storage/Storage.js"
import { onEachDialect } from "../support/Engines.js"
import { seen } from "./Forge.js"

const { array, boolean, constantFrom, integer, nat, option, record, shuffledSubarray } = FastCheck

const claimsOf = claimReader(["ET"])

/** What happens to a pull request, one thing a second. */
const happening = constantFrom(
  "edited",
  "pushed",
  "closed",
  "reopened",
  "approved",
  "rejected",
  "green",
  "red",
  "merged"
)
type Happening = typeof happening extends FastCheck.Arbitrary<infer A> ? A : never

const titles = ["ET-2: north", "ET-20: south", "ET-2, ET-20", "climb", "Revert \"ET-2: north\""] as const

type Delivery =
  | { readonly _tag: "pull"; readonly seen: PullRequestSeen; readonly review: boolean | undefined }
  | { readonly _tag: "status"; readonly sha: string; readonly id: number; readonly state: string }

/** The deliveries of a history, in its order. */
const deliveriesOf = (number: number, steps: ReadonlyArray<readonly [Happening, number]>): ReadonlyArray<Delivery> => {
  const deliveries: Array<Delivery> = []
  let now = seen({ number, title: titles[0], branch: "x", headSha: `${number} 0`, updatedAt: EpochMillis(1_000) })
  const tell = (change: Partial<PullRequestSeen>, rank: number, headRank: number, review?: boolean) => {
    now = { ...now, ...change, rank, headRank, isMerging: rank === 4 }
    deliveries.push({ _tag: "pull", seen: now, review })
  }
  tell({}, 0, 0)
  for (const [index, [what, choice]] of steps.entries()) {
    const updatedAt = EpochMillis((index + 2) * 1_000)
    if (now.merged && what !== "edited") continue
    switch (what) {
      case "edited":
        tell({ updatedAt, title: titles[choice % titles.length] ?? "" }, 1, 1)
        break
      case "pushed":
        tell({ updatedAt, headSha: `${number} ${index}` }, 2, 2)
        break
      case "closed":
      case "reopened":
        tell({ updatedAt, open: what === "reopened" }, 3, 1)
        break
      case "approved":
      case "rejected":
        tell({ updatedAt }, 1, 1, what === "approved")
        break
      case "green":
      case "red":
        deliveries.push({
          _tag: "status",
          sha: now.headSha,
          id: 100 + index,
          state: what === "red" ? "failure" : "success"
        })
        break
      case "merged":
        tell({ updatedAt, open: false, merged: true, mergedAt: updatedAt }, 4, 3)
    }
  }
  return deliveries
}

const history = array(FastCheck.tuple(happening, nat(20)), { maxLength: 12 })

const tables = ["pull_request", "claim", "review", "commit_status", "repository"] as const

/**
 * All that is known after these deliveries, but when it was heard: in one transaction, or each in one of its own, some
 * of which run at the same time.
 */
const known = (
  deliveries: ReadonlyArray<Delivery>,
  numbers: ReadonlyArray<number>,
  how: "one transaction" | "at once" = "one transaction"
) =>
  Effect.gen(function*() {
    const { read, sql, write } = yield* Storage
    const at = EpochMillis(5)
    yield* write(
      Effect.forEach(tables, (table) => sql`DELETE FROM ${sql.literal(`plane_sync_${table}`)}`, { discard: true })
    )
    const remembered = (delivery: Delivery) =>
      Effect.gen(function*() {
        if (delivery._tag === "status") {
          const { id, sha, state } = delivery
          const status = {
            repository: 1,
            name: "acme/widgets",
            sha,
            context: "ci",
            id,
            state,
            description: "",
            creator: null
          }
          yield* rememberStatuses(sql, [status], at)
          return
        }
        yield* rememberPullRequest(sql, delivery.seen, claimsOf(delivery.seen), at)
        if (delivery.review === undefined) return
        yield* rememberReview(sql, delivery.seen, { reviewer: "lea", approved: delivery.review, content: "" })
      })
    yield* how === "at once"
      ? Effect.forEach(deliveries, (one) => write(remembered(one)), { concurrency: 6, discard: true })
      : write(Effect.forEach(deliveries, remembered, { discard: true }))
    const ofTask = yield* read(readPullRequestsOf(sql, CanonicalKey("ET-2")))
    const each = yield* Effect.forEach(numbers, (number) =>
      Effect.all([
        read(readKeysOf(sql, { repository: 1, number })),
        read(readReviews(sql, { repository: 1, number })),
        read(Effect.forEach(ofTask.filter((one) => one.number === number), (one) => readStatuses(sql, one)))
      ]))
    return { ofTask: ofTask.filter(({ number }) => numbers.includes(number)), each }
  }).pipe(Effect.orDie)

type RunKnown = <A, E>(effect: Effect.Effect<A, E, Storage>) => Promise<A>

const runs = <A>(property: FastCheck.IAsyncProperty<A>, numRuns: number) =>
  Effect.promise(() => FastCheck.assert(property, { numRuns: Number(process.env["PROPERTY_RUNS"] ?? numRuns) }))

onEachDialect("what is known of pull requests", (engine) => {
  // Many histories in memory alone, because elsewhere they take their time. One database for all of them.
  const most = engine.lasts ? 5 : 25
  const overStorage = <A>(property: (run: RunKnown) => FastCheck.IAsyncProperty<A>, numRuns: number) =>
    Effect.gen(function*() {
      const runtime = yield* Effect.runtime<Storage>()
      yield* runs(property(Runtime.runPromise(runtime)), numRuns)
    }).pipe(Effect.provide(engine.storage))

  it.live(
    "does not depend on the order and the repetition of deliveries",
    () =>
      overStorage((run) =>
        FastCheck.asyncProperty(
          history,
          history,
          array(nat(), { minLength: 60, maxLength: 60 }),
          async (one, other, ranks) => {
            const all = [...deliveriesOf(1, one), ...deliveriesOf(2, other)]
            const ranked = [...all, ...all].map((delivery, index) => ({ delivery, rank: ranks[index] ?? 0 }))
            const shuffled = ranked.sort((a, b) => a.rank - b.rank).map(({ delivery }) => delivery)
            const [expected, found, atOnce] = await run(Effect.all([
              known(all, [1, 2]),
              known(shuffled, [1, 2]),
              known(shuffled, [1, 2], "at once")
            ]))
            assert.deepStrictEqual(found, expected)
            assert.deepStrictEqual(atOnce, expected)
          }
        ), most),
    90_000
  )

  it.live("is not changed by facts about another work item", () =>
    overStorage((run) =>
      FastCheck.asyncProperty(
        history,
        array(FastCheck.tuple(happening, nat(20)), { maxLength: 8 }),
        async (one, other) => {
          const own = deliveriesOf(1, one)
          const foreign = deliveriesOf(3, other).map((delivery): Delivery =>
            delivery._tag === "pull"
              ? { ...delivery, seen: { ...delivery.seen, title: "ET-20: south", body: "Closes ET-22" } }
              : delivery
          )
          const [expected, found] = await run(
            Effect.all([known(own, [1]), known([...foreign, ...own, ...foreign], [1])])
          )
          assert.deepStrictEqual(found, expected)
        }
      ), most), 90_000)
})

const startedAt = EpochMillis(100_000)

const anyPullRequest: FastCheck.Arbitrary<PullRequest> = record({
  number: integer({ min: 1, max: 9 }),
  fork: boolean(),
  open: boolean(),
  merged: boolean(),
  mergedAt: option(integer({ min: 98, max: 102 }), { nil: null }),
  base: constantFrom("main", "release/1", "feature/epic", null),
  draft: boolean()
}).map(({ merged, mergedAt, open, ...one }): PullRequest => ({
  ...one,
  repository: 1,
  name: "acme/widgets",
  open: open && !merged,
  merged,
  mergedAt: merged && mergedAt !== null ? EpochMillis(mergedAt * 1_000) : null,
  author: "dev",
  defaultBranch: "main",
  headSha: "a",
  updatedAt: startedAt
}))

const rules: PullRequestRules = {
  branches: ["release/*"],
  repositories: [],
  forks: false,
  reviewers: [],
  requiredChecks: [],
  ciUsers: [],
  warning: "failure",
  settle: Duration.minutes(2)
}

const project = {
  pullRequests: rules,
  names: { ...commonNames, identifier: "", id: undefined, workspace: "", apiToken: "", states: "" },
  gitea: undefined
}

const judged = (pulls: ReadonlyArray<PullRequest>) =>
  standingOf(pulls.map((pullRequest) => ({ pullRequest, whyNot: whyNot(pullRequest, startedAt, project) })))

describe("the verdict on a merge", () => {
  it("holds only by one into a counted branch, of no fork, since the start, while none such is open", () => {
    FastCheck.assert(FastCheck.property(array(anyPullRequest, { maxLength: 6 }), (pulls) => {
      // Written a second time.
      const counted = pulls.filter(({ base, fork }) => !fork && (base === "main" || base === "release/1"))
      const merged = counted.some((one) => one.merged && one.mergedAt !== null && one.mergedAt >= startedAt)
      const holds = merged && !counted.some(({ open }) => open)
      const standing = judged(pulls)
      assert.strictEqual(mergedVerdict("ET-2", standing)._tag === "Passed", holds)
      // It answers the gates that ask each open one.
      if (holds) assert.strictEqual(eachOpen("ET-2", standing, []).verdict._tag, "Passed")
    }))
  })

  it("does not depend on the order, nor on those that do not count", () => {
    FastCheck.assert(FastCheck.property(array(anyPullRequest, { maxLength: 6 }), (pulls) => {
      const tag = (some: ReadonlyArray<PullRequest>) => mergedVerdict("ET-2", judged(some))._tag
      assert.strictEqual(tag([...pulls].reverse()), tag(pulls))
      const counted = pulls.filter((one) => whyNot(one, startedAt, project) === undefined)
      assert.strictEqual(tag(counted), tag(pulls))
    }))
  })

  it("is never one of a revert, whatever stands in its quotes", () => {
    const words = FastCheck.stringMatching(/^[a-z ]{0,12}$/)
    FastCheck.assert(
      FastCheck.property(
        words,
        words,
        shuffledSubarray(["ET-2", "ET-3", "ET-4"], { minLength: 1 }),
        (before, after, keys) => {
          const claims = claimsOf({
            branch: "revert-41-main",
            title: `Revert "${before} ${keys.join(", ")} ${after}"`,
            body: ""
          })
          assert.deepStrictEqual(claims.filter(({ kind }) => kind === "about"), [])
        }
      )
    )
  })
})
