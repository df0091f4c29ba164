import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { moveBody, pullBody, scene, sha, statusBody } from "./Scene.js"

const facts = ["opened", "status", "synchronized", "approved", "merged"] as const
type Fact = (typeof facts)[number]

/** Where a task ends that all of these are true of, whichever came first: see docs/setup.md, step 6. */
const stageOf = (all: ReadonlySet<Fact>): string => {
  const old = sha("old")
  const present = sha("present")
  if (all.has("merged")) return "done done"
  // A review shows the pull request's head just as a push does.
  const head = all.has("synchronized") || all.has("approved") ? present : all.has("opened") ? old : undefined
  const isGreen = all.has("status") && head === present
  if (!isGreen) return "development active"
  return all.has("approved") ? "testing active" : "review active"
}

const permutations = <A>(items: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
  items.length === 0
    ? [[]]
    : items.flatMap((item, index) =>
      permutations(items.filter((_, other) => other !== index)).map((rest) => [item, ...rest])
    )

const all = [...permutations(facts), ...permutations(facts.filter((fact) => fact !== "merged"))]

// A fifth of them; ORDERS=all tries each. By 5, because 2, 3 or 4 have a common factor with the 2, 6 and 24 orders of the
// last facts, of which some would never be tried.
const orders = process.env["ORDERS"] === "all" ? all : all.filter((_, index) => index % 5 === 0)

// Each with a copy of one of its facts behind, and the task started somewhere in between.
const cases = orders.map((order, index) => {
  const again = order[index % order.length] ?? "opened"
  return { workItem: 100 + index, steps: [...order, again], startedAt: index % (order.length + 2) }
})

type Scene = Effect.Effect.Success<ReturnType<typeof scene>>

const tell = (at: Scene, workItem: number, fact: Fact) => {
  const old = sha(`old ${workItem}`)
  const present = sha(`present ${workItem}`)
  // All within a second, so that the moment tells nothing about the order.
  const pull = { number: workItem, workItem, head: present }
  switch (fact) {
    case "opened": {
      const opened = at.gitea("pull_request", pullBody("pull_request_opened", { ...pull, head: old }))
      if (workItem % 2 === 0) return opened
      // Closed and opened again, still before the push.
      const reopened = at.gitea("pull_request", pullBody("pull_request_reopened", { ...pull, head: old }))
      return Effect.zipRight(opened, reopened)
    }
    case "status":
      return at.gitea("status", statusBody({ id: workItem, sha: present }))
    case "synchronized":
      return at.gitea("pull_request_sync", pullBody("pull_request_synchronized", pull))
    case "approved":
      return at.gitea("pull_request_review_approved", pullBody("review_approved", pull))
    case "merged":
      return at.gitea("pull_request", pullBody("pull_request_closed_merged", pull))
  }
}

const start = (at: Scene, workItem: number) =>
  Effect.gen(function*() {
    yield* at.plane(moveBody({ number: workItem, to: "inProgress", at: 1 }))
    yield* Effect.repeat(Effect.zipRight(Effect.sleep("10 millis"), at.task(workItem)), {
      until: (task) => task !== undefined
    }).pipe(Effect.timeout("60 seconds"))
    yield* at.reported(workItem)
  })

describe("the order of hooks", () => {
  it.live("does not matter: a task ends where the facts together say", () =>
    Effect.gen(function*() {
      const at = yield* scene({ ORCH_PLANE_API_TOKEN: "" })
      assert.lengthOf(all, 120 + 24)
      yield* Effect.forEach(cases, ({ startedAt, steps, workItem }) =>
        Effect.gen(function*() {
          for (const [index, fact] of steps.entries()) {
            if (index === startedAt) yield* start(at, workItem)
            yield* tell(at, workItem, fact)
          }
          if (startedAt >= steps.length) yield* start(at, workItem)
        }), { concurrency: 16, discard: true })
      for (const { steps, workItem } of cases) {
        assert.strictEqual(yield* at.stage(workItem), stageOf(new Set(steps)), `${workItem}: ${steps.join(", ")}`)
      }
    }).pipe(Effect.scoped, Effect.provide(PlaneSimulator.layer())), 180_000)
})
