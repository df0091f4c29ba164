import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { ItemId } from "../../src/domain/Ids.js"
import { Storage } from "../../src/storage/Storage.js"
import { Verdict } from "../../src/tasks/QualityGate.js"
import { Tasks } from "../../src/tasks/Tasks.js"
import { forge, onBoth } from "./Orchestration.js"

/** The links that the work item is to have, and of which lane. */
const links = Effect.gen(function*() {
  const { read, sql } = yield* Storage
  const rows = yield* read(
    sql<{ link: string }>`SELECT l.name || ' ' || k.kind || ' ' || k.title || ' ' || k.url AS link
    FROM plane_sync_link k JOIN plane_sync_lane l ON l.id = k.lane WHERE k.wanted = 1 ORDER BY k.kind`
  )
  return rows.map(({ link }) => link)
})

const advance = Effect.gen(function*() {
  const tasks = yield* Tasks
  yield* tasks.advance((yield* tasks.get("ET-2")).id)
})

const failed = (run: number, reason = "no") =>
  Verdict.Failed({
    reason,
    sameAs: "build",
    page: { title: "build: failure", url: `https://ci.example.com/runs/${run}` }
  })

const link = (run: number) => `ET-2 check build: failure https://ci.example.com/runs/${run}`

const toDevelopment = Effect.gen(function*() {
  const tasks = yield* Tasks
  yield* tasks.start({ workItem: "ET-2" })
  for (const stage of ["analysis", "architecture"]) yield* tasks.report("ET-2", { stage, outcome: "passed" })
  yield* advance
})

onBoth("the links of a task", ({ tasksOnly }) => {
  it.live("the page of the latest failure is one, until its gate holds", () => {
    const gates = forge()
    return Effect.gen(function*() {
      yield* toDevelopment
      gates.ci.say(failed(1))
      yield* advance
      assert.deepStrictEqual(yield* links, [link(1)])
      // The same failure of another run.
      gates.ci.say(failed(2))
      yield* advance
      assert.deepStrictEqual(yield* links, [link(2)])
      gates.ci.say(Verdict.Pending({ why: "it runs" }))
      yield* advance
      assert.deepStrictEqual(yield* links, [link(2)])
      // Another failure, which names no page.
      gates.ci.say(Verdict.Failed({ reason: "another" }))
      yield* advance
      assert.deepStrictEqual(yield* links, [])
      gates.ci.say(failed(3))
      yield* advance
      assert.deepStrictEqual(yield* links, [link(3)])
      gates.ci.say(Verdict.Passed())
      yield* advance
      assert.deepStrictEqual(yield* links, [])
    }).pipe(Effect.provide(tasksOnly({ gates: gates.gates })))
  })

  it.live("it stays while the task is paused, whose gates are not asked, and when it goes on", () => {
    const gates = forge()
    return Effect.gen(function*() {
      const tasks = yield* Tasks
      yield* toDevelopment
      gates.ci.say(failed(1))
      yield* advance
      yield* tasks.pause((yield* tasks.get("ET-2")).id, "a person's wish")
      yield* advance
      assert.deepStrictEqual(yield* links, [link(1)])
      yield* tasks.start({ workItem: "ET-2" })
      yield* advance
      assert.deepStrictEqual(yield* links, [link(1)])
      gates.ci.say(Verdict.Passed())
      yield* advance
      assert.deepStrictEqual(yield* links, [])
    }).pipe(Effect.provide(tasksOnly({ gates: gates.gates })))
  })

  it.live("it goes when its stage is left all the same", () => {
    const gates = forge()
    return Effect.gen(function*() {
      yield* toDevelopment
      gates.ci.say(failed(1))
      yield* advance
      yield* (yield* Tasks).overrule("ET-2", {
        stage: "development",
        by: "lea",
        reason: "by hand",
        links: [{ kind: "log", title: "Why", url: "https://ci.example.com/why" }]
      })
      const left = ["ET-2 log Why https://ci.example.com/why"]
      assert.deepStrictEqual(yield* links, left)
      yield* advance
      assert.deepStrictEqual(yield* links, left)
    }).pipe(Effect.provide(tasksOnly({ gates: gates.gates })))
  })

  it.live("those of a report take the place of those before, and so does another pull request", () =>
    Effect.gen(function*() {
      const tasks = yield* Tasks
      const itemId = ItemId("item-2")
      const { id } = yield* tasks.start({ workItem: "ET-2", itemId })
      const log = (run: number) => ({ kind: "log", title: `Log\n${run}`, url: `https://ci.example.com/log/${run}` })
      for (const run of [1, 2]) {
        yield* tasks.report("ET-2", { stage: "analysis", outcome: "passed", links: [log(run)] })
      }
      for (const pullRequest of [7, 8]) {
        yield* tasks.link(id, {
          repository: { id: 1, name: "acme/widgets" },
          pullRequest,
          headSha: "one",
          page: `https://git.example.com/acme/widgets/pulls/${pullRequest}`
        })
      }
      assert.deepStrictEqual(yield* links, [
        "item-2 log Log 2 https://ci.example.com/log/2",
        "item-2 pull-request acme/widgets#8 https://git.example.com/acme/widgets/pulls/8"
      ])
    }).pipe(Effect.provide(tasksOnly())))
})
