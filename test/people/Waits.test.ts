import { assert, it } from "@effect/vitest"
import { Context, Duration, Effect, Layer, Option } from "effect"
import { EpochMillis, epochMillis } from "../../src/base/Time.js"
import { CommentId, ItemId } from "../../src/domain/Ids.js"
import { defaultStages } from "../../src/domain/PipelineStage.js"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { makeCommanding } from "../../src/people/Commanding.js"
import { NotAsked, NothingAsked, People } from "../../src/people/People.js"
import { Storage } from "../../src/storage/Storage.js"
import { WakeUps } from "../../src/storage/WakeUps.js"
import { Verdict } from "../../src/tasks/QualityGate.js"
import { Tasks } from "../../src/tasks/Tasks.js"
import { leadingOnly } from "../support/AlwaysLeading.js"
import { onEachDialect } from "../support/Engines.js"
import { forge, told } from "../tasks/Orchestration.js"
import { eventually, waits, world } from "./Waiting.js"

/** Somebody is named, so that what nobody has asked for is a comment, too. */
const asksLea = { ORCH_ATTENTION: "lea@example.org" }

const advance = Effect.flatMap(Tasks, (tasks) => Effect.flatMap(tasks.get("ET-2"), ({ id }) => tasks.advance(id)))

const atAnalysis = Effect.gen(function*() {
  yield* (yield* Tasks).start({ workItem: "ET-2" })
  yield* advance
})

const ask = (question: string, agent?: string) =>
  Effect.flatMap(People, (people) => people.ask("ET-2", { question, agent }))

const answer = (text: string, by = "lea@example.org") =>
  Effect.flatMap(People, (people) => people.answer("ET-2", { text, by }))

const saidOf = (reason: string) => Effect.map(told, (events) => events.filter((event) => event.includes(reason)))

onEachDialect("what a task waits for somebody for", ({ storage }) => {
  it.scopedLive("a question waits until it is answered, once, and its answer reaches the agent that is launched again", () =>
    Effect.gen(function*() {
      yield* atAnalysis
      const tasks = yield* Tasks
      const before = yield* tasks.get("ET-2")
      const question = "May <b>the table</b> go?\u0000"
      const asked = yield* ask(question, "analyst")
      assert.deepInclude(asked, { question: "May <b>the table</b> go?", state: "open", stage: "analysis" })
      // Sent again, because its answer was lost.
      assert.strictEqual((yield* ask(question, "analyst")).id, asked.id)
      const other = yield* ask("And the index?")
      assert.deepStrictEqual(yield* waits("ET-2"), ["asked: May <b>the table</b> go?", "asked: And the index?"])
      assert.deepStrictEqual(yield* saidOf("asks"), [
        "analyst asks: May <b>the table</b> go?",
        "somebody asks: And the index?"
      ])

      const first = yield* answer("Yes, it is empty")
      assert.deepInclude(first, { open: 1, launches: true })
      assert.strictEqual(first.wait.id, asked.id)
      const task = yield* tasks.get("ET-2")
      assert.deepStrictEqual(task.answers.map(({ answer, by, question }) => [question, answer, by]), [
        ["May <b>the table</b> go?", "Yes, it is empty", "lea@example.org"]
      ])
      assert.notStrictEqual(task.entry, before.entry)
      assert.deepStrictEqual(Option.map(task.launch, ({ state }) => state), Option.some("waiting"))
      // The same question again has its answer, and the other one still waits.
      assert.deepInclude(yield* ask(question, "analyst"), { state: "answered", why: Option.some("Yes, it is empty") })
      assert.deepStrictEqual(yield* waits("ET-2"), ["asked: And the index?"])
      assert.strictEqual((yield* answer("Too")).wait.id, other.id)
      assert.instanceOf(yield* Effect.flip(answer("Again")), NothingAsked)
      assert.lengthOf(yield* saidOf("asks"), 2)
    }).pipe(Effect.provide(world({ database: storage }))))

  it.scopedLive("two who answer at the same time answer once", () =>
    Effect.gen(function*() {
      yield* atAnalysis
      yield* ask("Which one?")
      const both = yield* Effect.all([answer("a", "lea"), answer("b", "jo")].map(Effect.either), {
        concurrency: "unbounded"
      })
      assert.lengthOf(both.filter(({ _tag }) => _tag === "Right"), 1)
      assert.lengthOf((yield* (yield* Tasks).get("ET-2")).answers, 1)
    }).pipe(Effect.provide(world({ database: storage }))))

  it.scopedLive("is refused where nobody works, where no word is left, and after 20 questions", () =>
    Effect.gen(function*() {
      yield* atAnalysis
      assert.instanceOf(yield* Effect.flip(ask(" \u0007\n")), NotAsked)
      for (let n = 1; n <= 20; n++) yield* ask(`Question ${n}?`)
      assert.include((yield* Effect.flip(ask("One more?"))).message, "has asked 20 questions at analysis")
      const { id } = yield* (yield* Tasks).get("ET-2")
      yield* (yield* Tasks).stop(id, "enough")
      assert.include((yield* Effect.flip(ask("Why?"))).message, "is stopped at analysis")
      assert.lengthOf(yield* waits("ET-2"), 0)
    }).pipe(Effect.provide(world({ database: storage }))))

  it.scopedLive("is withdrawn, and said once, when its stage is left", () =>
    Effect.gen(function*() {
      yield* atAnalysis
      yield* ask("Which one?")
      yield* ask("And why?")
      yield* (yield* Tasks).report("ET-2", { stage: "analysis", outcome: "passed" })
      yield* advance
      // At once, although nobody has withdrawn them yet.
      assert.deepStrictEqual(yield* waits("ET-2"), [])
      const over = yield* eventually(saidOf("Nobody is needed"), (said) => said.length > 0)
      assert.deepStrictEqual(over, ["↩️ Nobody is needed any more: the task is at architecture now."])
      yield* Effect.sleep("2500 millis")
      assert.lengthOf(yield* saidOf("Nobody is needed"), 1)
      assert.instanceOf(yield* Effect.flip(answer("Late")), NothingAsked)
    }).pipe(Effect.provide(world({ database: storage }))), 20_000)

  it.scopedLive("a gate that has failed three times in a row, until it holds; and no second time at this stage", () => {
    const gates = forge()
    const fail = (reason: string) =>
      Effect.suspend(() => {
        gates.ci.say(Verdict.Failed({ reason }))
        return advance
      })
    return Effect.gen(function*() {
      yield* atAnalysis
      for (const stage of ["analysis", "architecture"]) {
        yield* (yield* Tasks).report("ET-2", { stage, outcome: "passed" })
      }
      yield* advance
      yield* fail("one")
      yield* fail("two")
      // Run again: it has not held in between.
      gates.ci.say(Verdict.Pending({ why: "it runs" }))
      yield* advance
      yield* Effect.sleep("1500 millis")
      assert.deepStrictEqual(yield* waits("ET-2"), [])
      yield* fail("three")
      const [wait] = yield* eventually(waits("ET-2"), (open) => open.length > 0)
      assert.include(wait, "gate_failed: the gate ci has failed 3 times in a row at development: three")
      assert.lengthOf(yield* saidOf("Somebody is needed: the gate ci has failed 3 times"), 1)
      yield* fail("four")
      gates.ci.say(Verdict.Passed())
      yield* advance
      yield* eventually(saidOf("Nobody is needed"), (said) => said.length > 0)
      assert.lengthOf(yield* saidOf("Somebody is needed"), 1)
    }).pipe(Effect.provide(world({ database: storage, gates: gates.gates, settings: asksLea })))
  }, 20_000)

  it.scopedLive(
    "/retry answers all that was waited for: nothing is withdrawn, and a gate's failures count anew",
    () => {
      const gates = forge()
      const fail = (reason: string) =>
        Effect.suspend(() => {
          gates.ci.say(Verdict.Failed({ reason }))
          return advance
        })
      return Effect.gen(function*() {
        const itemId = ItemId("11111111-1111-4111-8111-111111111111")
        const tasks = yield* Tasks
        yield* tasks.start({ workItem: "ET-2", itemId })
        yield* advance
        for (const stage of ["analysis", "architecture"]) yield* tasks.report("ET-2", { stage, outcome: "passed" })
        yield* advance
        for (const reason of ["one", "two", "three"]) yield* fail(reason)
        yield* ask("Which one?")
        yield* eventually(waits("ET-2"), (open) => open.length === 3)
        const { sql } = yield* Storage
        const commanding = makeCommanding({
          events: yield* StageEvents,
          people: Option.some(yield* People),
          sql,
          tasks
        })
        const retry = (comment: string) =>
          Effect.flatMap(epochMillis, (now) =>
            commanding({
              commentId: CommentId(comment),
              itemId,
              project: "ET",
              at: EpochMillis(now + 1),
              by: "jo",
              command: { word: "retry", text: "" },
              isSigned: true,
              forbidden: undefined
            }))
        assert.strictEqual(
          (yield* retry("one")).words,
          "✅ /retry (jo): developer is launched again for development; 3 waits are answered by that"
        )
        assert.deepStrictEqual(yield* waits("ET-2"), [])
        // Whoever looks after the waits has looked: none is withdrawn, none is opened anew, and nothing is said of them.
        yield* Effect.sleep("2500 millis")
        yield* fail("four")
        yield* fail("five")
        yield* Effect.sleep("1500 millis")
        assert.deepStrictEqual(yield* waits("ET-2"), [])
        assert.deepStrictEqual(yield* saidOf("Nobody is needed"), [])
        const story = (yield* tasks.story((yield* tasks.get("ET-2")).id)).map(({ line }) => line)
        assert.lengthOf(story.filter((line) => line === "answered by jo: /retry"), 3)
        yield* fail("six")
        const [again] = yield* eventually(waits("ET-2"), (open) => open.length > 0)
        assert.include(again, "gate_failed: the gate ci has failed 3 times in a row at development: six")
        // Its agent asks again, and that is a new question.
        assert.deepInclude(yield* ask("Which one?"), { state: "open" })
      }).pipe(Effect.provide(
        world({ database: storage, gates: gates.gates, settings: { ...asksLea, ORCH_CEILING_ATTEMPTS: "1" } })
      ))
    },
    30_000
  )

  it.scopedLive("is withdrawn with true words where its stage is entered again", () =>
    Effect.gen(function*() {
      yield* atAnalysis
      yield* ask("Which one?")
      const tasks = yield* Tasks
      const { id } = yield* tasks.get("ET-2")
      yield* tasks.stop(id, "enough")
      yield* tasks.start({ workItem: "ET-2" })
      const [over] = yield* eventually(saidOf("Nobody is needed"), (said) => said.length > 0)
      assert.match(over ?? "", /any more: (the task has entered analysis again|the task was stopped)\.$/)
      assert.deepStrictEqual(yield* waits("ET-2"), [])
    }).pipe(Effect.provide(world({ database: storage }))), 20_000)

  it.scopedLive("a gate that has failed three times is no comment where nobody is named", () => {
    const gates = forge()
    return Effect.gen(function*() {
      yield* atAnalysis
      for (const stage of ["analysis", "architecture"]) {
        yield* (yield* Tasks).report("ET-2", { stage, outcome: "passed" })
      }
      for (const reason of ["one", "two", "three"]) {
        gates.ci.say(Verdict.Failed({ reason }))
        yield* advance
      }
      yield* eventually(waits("ET-2"), (open) => open.length > 0)
      gates.ci.say(Verdict.Passed())
      yield* advance
      yield* eventually(waits("ET-2"), (open) => open.length === 0)
      assert.deepStrictEqual([...yield* saidOf("Somebody is needed"), ...yield* saidOf("Nobody is needed")], [])
    }).pipe(Effect.provide(world({ database: storage, gates: gates.gates })))
  }, 20_000)

  it.scopedLive("a stage that takes longer than its patience, and ceilings, each once", () => {
    const stages = defaultStages.map((stage) =>
      stage.stage === "analysis" ? { ...stage, patience: Duration.millis(10) } : stage
    )
    const settings = { ORCH_CEILING_TOKENS: "1000", ORCH_CEILING_COST: "2.50", ORCH_CEILING_ATTEMPTS: "2" }
    return Effect.gen(function*() {
      yield* atAnalysis
      const usage = { inputTokens: 600, outputTokens: 500, costUsd: 2.49 }
      yield* (yield* Tasks).report("ET-2", { stage: "architecture", outcome: "passed", usage, id: "one" })
      const open = yield* eventually(waits("ET-2"), (open) => open.length > 1)
      assert.lengthOf(open, 2)
      assert.include(open.join(), "patience: the stage analysis takes longer than its patience")
      assert.include(open.join(), "ceiling: the task has taken 1,100 tokens, and its ceiling is 1,000")
      const events = yield* StageEvents
      yield* events.publish(
        StageEvent.TaskCompleted({ workItem: "ET-2", usage: { costUsd: 0.01 } })
      )
      assert.include((yield* eventually(waits("ET-2"), (open) => open.length > 2)).join(), "taken $2.50")
      yield* Effect.sleep("2500 millis")
      assert.lengthOf(yield* saidOf("Somebody is needed"), 3)
    }).pipe(Effect.provide(world({ database: storage, stages, settings })))
  }, 20_000)

  it.scopedLive("a letter that died since the stage was entered, until it is discarded", () =>
    Effect.gen(function*() {
      yield* atAnalysis
      const { sql, write } = yield* Storage
      const letter = (settledAt: number) =>
        Effect.gen(function*() {
          yield* sql`INSERT INTO plane_sync_lane (name) VALUES ('ET-2') ON CONFLICT (name) DO NOTHING`
          yield* sql`INSERT INTO plane_sync_delivery (lane, kind, status, first_event, last_event, body, occurred_at,
              planned_at, settled_at, code, reason)
            SELECT id, 'comment', 'dead', 1, 1, '', 1, 1, ${settledAt}, 'refused', 'too long' FROM plane_sync_lane
            WHERE name = 'ET-2'`
        })
      yield* write(letter(1))
      yield* Effect.sleep("2500 millis")
      assert.deepStrictEqual(yield* waits("ET-2"), [])
      yield* write(letter(Date.now() + 1_000))
      const [wait] = yield* eventually(waits("ET-2"), (open) => open.length > 0)
      assert.include(wait, "dead_letter: something could not be told in Plane: too long")
      yield* write(sql`UPDATE plane_sync_delivery SET status = 'discarded'`)
      assert.deepStrictEqual(yield* eventually(waits("ET-2"), (open) => open.length === 0), [])
      assert.deepStrictEqual(yield* saidOf("Nobody is needed"), [
        "↩️ Nobody is needed any more: what could not be told was retried or discarded."
      ])
    }).pipe(Effect.provide(world({ database: storage, settings: asksLea }))), 20_000)

  it.scopedLive(
    "those of the attention list are named one after the other, as the clock goes",
    () =>
      Effect.gen(function*() {
        yield* atAnalysis
        yield* ask("Which one?")
        assert.deepStrictEqual(yield* waits("ET-2"), ["asked: Which one? [lea@example.org]"])
        // As if the four hours were over.
        const { sql, write } = yield* Storage
        const over = write(sql`UPDATE plane_sync_wait SET escalate_at = 1 WHERE escalate_at IS NOT NULL`)
        yield* over
        const next = ["asked: Which one? [lea@example.org, jo@example.org]"]
        assert.deepStrictEqual(yield* eventually(waits("ET-2"), (open) => open.join().includes("jo@")), next)
        yield* over
        yield* Effect.sleep("2500 millis")
        assert.deepStrictEqual(yield* waits("ET-2"), next)
      }).pipe(
        Effect.provide(world({ database: storage, settings: { ORCH_ATTENTION: "Lea@example.org, jo@example.org" } }))
      ),
    20_000
  )

  it.scopedLive("one that another process leads, and is overdue, wakes nobody here", () =>
    Effect.gen(function*() {
      let woken = 0
      const counting = Layer.map(WakeUps.layerPolling("50 millis"), (context) => {
        const own = Context.get(context, WakeUps)
        const notify = Effect.zipRight(Effect.sync(() => woken++), own.notify)
        return Context.make(WakeUps, WakeUps.of({ ...own, notify }))
      })
      yield* Effect.gen(function*() {
        yield* atAnalysis
        yield* ask("Which one?")
        const { sql, write } = yield* Storage
        yield* write(sql`UPDATE plane_sync_wait SET escalate_at = 1 WHERE escalate_at IS NOT NULL`)
        woken = 0
        // Time for three looks.
        yield* Effect.sleep("3500 millis")
        assert.strictEqual(woken, 0)
        assert.deepStrictEqual(yield* waits("ET-2"), ["asked: Which one? [lea@example.org]"])
      }).pipe(Effect.provide(world({
        database: storage,
        settings: { ORCH_ATTENTION: "lea@example.org, jo@example.org" },
        leadership: leadingOnly(["OPS"]),
        wakeUps: counting
      })))
    }), 20_000)
})
