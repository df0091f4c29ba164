import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, TestClock } from "effect"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { StageEvents } from "../../src/events/StageEvents.js"
import { Outbox } from "../../src/outbox/Outbox.js"
import { Fault, PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { WakeUps } from "../../src/storage/WakeUps.js"
import { inMemory, projectStatus, received } from "./Pipeline.js"

const publish = (event: StageEvent) => Effect.flatMap(StageEvents, (events) => events.publish(event))

const changed = (workItem: string, from: string, to: string) => publish(StageEvent.StageChanged({ workItem, from, to }))

const failed = (workItem: string, reason: string) =>
  publish(StageEvent.QualityGateFailed({ workItem, stage: "review", check: "lint", reason }))

const status = Effect.flatMap(Outbox, (outbox) => outbox.status)

const letters = Effect.flatMap(Outbox, (outbox) => outbox.deadLetters({ limit: 100 }))

/** The lines that Plane shows of a work item, without their times. */
const lines = (id: string) =>
  Effect.map(
    Effect.flatMap(PlaneSimulator, (plane) => plane.comments(id)),
    (comments) =>
      comments.flatMap(({ html }) => html.replaceAll("<p>", "").split("</p>"))
        .filter((line) => line !== "").map((line) => line.replace(/ · .*/, ""))
  )

const item = Effect.flatMap(PlaneSimulator, (plane) => plane.addWorkItem({ name: "Trail map" }))

const posts = { method: "POST", kind: "comments" } as const

const stageLine = (index: number) => `🔄 Stage: s${index} → s${index + 1}`

/** So many stage events that are owed together, because Plane was away. */
const owedTogether = (key: string, count: number) =>
  Effect.gen(function*() {
    const plane = yield* PlaneSimulator
    yield* plane.misbehave(Fault.Down({}))
    for (let index = 0; index < count; index++) yield* changed(key, `s${index}`, `s${index + 1}`)
    yield* TestClock.adjust("5 minutes")
    yield* plane.calm
    yield* plane.forgetRequests
  })

/** Comments are refused that carry one of these texts. */
const refuse = (...texts: ReadonlyArray<string>) =>
  Effect.flatMap(
    PlaneSimulator,
    (plane) =>
      Effect.forEach(texts, (text) => plane.misbehave(Fault.Status({ status: 400, match: { ...posts, text } })))
  )

describe("a comment that Plane refuses", () => {
  it.effect("applied, then answered 400: the comment is sent once more after its quiet time, and adopted (42)", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* plane.misbehave(Fault.Status({ match: posts, count: 1, status: 400, when: "after" }))
      yield* failed(key, "one")
      yield* failed(key, "two")
      yield* TestClock.adjust("29 seconds")
      assert.strictEqual((yield* received).filter(({ method }) => method === "POST").length, 1)
      yield* TestClock.adjust("1 minutes")
      assert.deepStrictEqual(yield* lines(id), ["one", "two"].map((why) => `⚠️ QG failed at review: lint — ${why}`))
      assert.deepInclude(yield* status, { pending: 0, dead: 0, delivered: 2 })
    }).pipe(Effect.provide(inMemory())))

  it.effect("refused twice: the refusal is believed, with Plane's words, and the work item goes on (42)", () =>
    Effect.gen(function*() {
      const { id, key } = yield* item
      yield* refuse("poison")
      yield* failed(key, "poison")
      yield* failed(key, "fine")
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(yield* lines(id), ["⚠️ QG failed at review: lint — fine"])
      const [letter] = yield* letters
      assert.deepInclude(letter, { code: "refused", answer: 400, attempts: 2 })
      assert.match(letter?.reason ?? "", /Simulated failure/)
    }).pipe(Effect.provide(inMemory())))

  it.effect("a state and a count are applied, then answered 400: asked once more, neither is a dead letter (42)", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* plane.misbehave(Fault.Status({ match: { method: "PATCH" }, count: 1, status: 400, when: "after" }))
      yield* changed(key, "created", "analysis")
      yield* TestClock.adjust("5 minutes")
      assert.deepInclude(yield* status, { pending: 0, dead: 0, delivered: 1 })
      assert.strictEqual((yield* plane.workItem(id)).state.name, "In Progress")
      yield* failed(key, "one")
      yield* TestClock.adjust("1 minutes")
      const match = { method: "PATCH", kind: "comment" } as const
      yield* plane.misbehave(Fault.Status({ match, count: 1, status: 400, when: "after" }))
      yield* failed(key, "one")
      yield* TestClock.adjust("5 minutes")
      assert.deepInclude(yield* status, { pending: 0, dead: 0, delivered: 3 })
      assert.include((yield* lines(id)).at(-1), "failed 2 times")
    }).pipe(Effect.provide(inMemory())))

  it.effect("a look at a work item is answered 503 and 400 a few times: asked again, nothing dies (42)", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { key } = yield* item
      for (const status of [503, 400]) {
        yield* plane.misbehave(Fault.Status({ match: { method: "GET", kind: "identifier" }, count: 2, status }))
      }
      yield* failed(key, "one")
      yield* TestClock.adjust("5 minutes")
      assert.deepInclude(yield* status, { pending: 0, dead: 0, delivered: 1 })
    }).pipe(Effect.provide(inMemory())))

  it.effect("a part that tells one event is applied, then answered 400: found, and not a dead letter (42, 60)", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* owedTogether(key, 2)
      yield* refuse(`${stageLine(1)} ·`, `${stageLine(1)}</p>`)
      const match = { ...posts, text: `${stageLine(0)}</p>` }
      yield* plane.misbehave(Fault.Status({ match, count: 1, status: 400, when: "after" }))
      yield* TestClock.adjust("30 minutes")
      assert.deepStrictEqual(yield* lines(id), [stageLine(0)])
      assert.deepInclude(yield* status, { pending: 0, dead: 1, delivered: 1 })
    }).pipe(Effect.provide(inMemory())))

  it.effect("the last attempt is refused as if the work item were gone, and no look tells: split, one dies (60)", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* owedTogether(key, 4)
      yield* plane.misbehave(Fault.Status({ match: { method: "GET", kind: "item" }, status: 503 }))
      for (const text of [`${stageLine(2)} ·`, `${stageLine(2)}</p>`]) {
        const body = `{"error":"The payload is not valid"}`
        yield* plane.misbehave(Fault.Status({ status: 400, body, match: { ...posts, text } }))
      }
      yield* TestClock.adjust("5 hours")
      assert.deepStrictEqual(yield* lines(id), [0, 1, 3].map(stageLine))
    }).pipe(Effect.provide(inMemory())))

  for (
    const [count, culprits] of [
      [31, [0]],
      [31, [30]],
      [31, [17]],
      [50, [3, 44]],
      [2, [1]],
      [7, [0, 1, 2, 3, 4, 5, 6]]
    ] as const
  ) {
    it.effect(`one comment for ${count} events, ${culprits.join(" and ")} disliked: only these die (60)`, () =>
      Effect.gen(function*() {
        const { id, key } = yield* item
        yield* owedTogether(key, count)
        yield* refuse(
          ...culprits.map((index) => `${stageLine(index)} ·`),
          ...culprits.map((index) => `${stageLine(index)}</p>`)
        )
        yield* TestClock.adjust("30 minutes")
        const bad: ReadonlyArray<number> = culprits
        const innocent = Array.from({ length: count }, (_, index) => index).filter((index) => !bad.includes(index))
        assert.deepStrictEqual(yield* lines(id), innocent.map(stageLine))
        assert.deepInclude(yield* status, { pending: 0, dead: culprits.length, delivered: innocent.length })
        const refused = (yield* received).filter(({ status }) => status === 400).length
        assert.isAtMost(refused, culprits.length * (Math.ceil(Math.log2(count)) + 2))
      }).pipe(
        Effect.provide(inMemory({ settings: { ORCH_PLANE_RATE_LIMIT: "1000/minute" }, plane: { rateLimit: "off" } }))
      ))
  }

  it.effect("a proxy refuses what is longer than it likes: told in smaller parts, nothing dies (60)", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* owedTogether(key, 16)
      // A joined comment of more than four events has both the first and the fifth, or the like.
      yield* Effect.forEach(
        [0, 8],
        (index) =>
          plane.misbehave(
            Fault.Status({ status: 413, html: true, count: 3, match: { ...posts, text: stageLine(index) } })
          )
      )
      yield* TestClock.adjust("30 minutes")
      assert.deepStrictEqual(yield* lines(id), Array.from({ length: 16 }, (_, index) => stageLine(index)))
      assert.deepInclude(yield* status, { pending: 0, dead: 0, delivered: 16 })
    }).pipe(
      Effect.provide(inMemory({ settings: { ORCH_PLANE_RATE_LIMIT: "1000/minute" }, plane: { rateLimit: "off" } }))
    ))

  it.effect("a firewall answers 403 in HTML: split when the attempts are used up, only the culprit dies (60)", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* owedTogether(key, 6)
      yield* plane.misbehave(Fault.Status({ status: 403, html: true, match: { ...posts, text: stageLine(4) } }))
      yield* TestClock.adjust("2 hours")
      const innocent = [0, 1, 2, 3, 5]
      assert.deepStrictEqual(yield* lines(id), innocent.map(stageLine))
      assert.deepInclude(yield* status, { pending: 0, dead: 1, delivered: 5 })
    }).pipe(Effect.provide(inMemory())))

  it.effect("applied though every attempt broke off: the events that it tells are found, and none is told twice (60)", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* owedTogether(key, 6)
      yield* plane.misbehave(Fault.Status({ status: 502, html: true, when: "after", match: posts }))
      yield* TestClock.adjust("2 hours")
      assert.deepStrictEqual(yield* lines(id), Array.from({ length: 6 }, (_, index) => stageLine(index)))
      assert.deepInclude(yield* status, { pending: 0, dead: 0, delivered: 6 })
    }).pipe(Effect.provide(inMemory())))

  it.effect("a letter that tells several events is split when it is retried and refused again (60)", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* owedTogether(key, 5)
      // The work item is not shown while its comment is refused, so all that is owed is taken to be gone.
      yield* plane.misbehave(Fault.Status({ status: 400, match: posts, body: `{"error":"The payload is not valid"}` }))
      yield* plane.misbehave(
        Fault.Status({
          status: 404,
          match: { method: "GET", kind: "item" },
          body: `{"error":"The requested resource does not exist."}`
        })
      )
      yield* TestClock.adjust("2 minutes")
      assert.deepInclude(yield* status, { pending: 0, dead: 5 })
      yield* plane.calm
      yield* refuse(`${stageLine(2)} ·`, `${stageLine(2)}</p>`)
      yield* (yield* Outbox).retry({ code: "gone" })
      yield* (yield* WakeUps).notify
      yield* TestClock.adjust("30 minutes")
      assert.deepStrictEqual(yield* lines(id), [0, 1, 3, 4].map(stageLine))
      assert.deepInclude(yield* status, { pending: 0, dead: 1, delivered: 4 })
      yield* plane.calm
      for (const letter of yield* letters) yield* (yield* Outbox).retry({ id: letter.id })
      yield* (yield* WakeUps).notify
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(yield* lines(id), [0, 1, 3, 4, 2].map(stageLine))
      assert.deepInclude(yield* status, { pending: 0, dead: 0, delivered: 5 })
    }).pipe(Effect.provide(inMemory())))
})

/** A comment that is in Plane under an external id of ours, as from a file that is not there any more. */
const alreadyThere = (workItem: string, id: string, html: string) =>
  Effect.gen(function*() {
    const plane = yield* PlaneSimulator
    const client = yield* HttpClient.HttpClient
    const path =
      `${plane.url}/api/v1/workspaces/${plane.workspace}/projects/${plane.project.id}/work-items/${workItem}/comments/`
    const request = yield* HttpClientRequest.post(path).pipe(
      HttpClientRequest.setHeader("x-api-key", plane.token),
      HttpClientRequest.bodyJson({
        comment_html: html,
        external_source: "plane-sync",
        external_id: `${id}:${workItem}`
      })
    )
    const { status } = yield* client.execute(request)
    assert.strictEqual(status, 201)
  }).pipe(Effect.scoped)

describe("an external id that Plane has already", () => {
  it.effect("other content under it: told under a second id (63)", () =>
    Effect.gen(function*() {
      const { id, key } = yield* item
      yield* alreadyThere(id, "run-1", "<p>🔄 Stage: a → b</p>")
      yield* publish(StageEvent.StageChanged({ id: "run-1", workItem: key, from: "c", to: "d" }))
      yield* TestClock.adjust("1 minutes")
      assert.deepStrictEqual(yield* lines(id), ["🔄 Stage: a → b", "🔄 Stage: c → d"])
      const comments = yield* (yield* PlaneSimulator).comments(id)
      assert.deepStrictEqual(comments.map(({ externalId }) => externalId), [`run-1:${id}`, `run-1:${id}:2`])
      assert.deepInclude(yield* status, { pending: 0, dead: 0, delivered: 1 })
    }).pipe(Effect.provide(inMemory())))

  it.effect("the same content under it, as after a restored backup: adopted, with one look (63)", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* alreadyThere(id, "run-1", "<p>🔄 Stage: a → b</p>")
      yield* plane.forgetRequests
      yield* publish(StageEvent.StageChanged({ id: "run-1", workItem: key, from: "a", to: "b" }))
      yield* TestClock.adjust("1 minutes")
      assert.deepStrictEqual(yield* lines(id), ["🔄 Stage: a → b"])
      assert.strictEqual((yield* received).filter(({ kind }) => kind === "comment").length, 1)
      assert.deepInclude(yield* status, { pending: 0, dead: 0, delivered: 1 })
    }).pipe(Effect.provide(inMemory())))

  it.effect("other content under it, though the first request's outcome is unknown: told under a second id (63)", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* alreadyThere(id, "run-1", "<p>🔄 Stage: a → b</p>")
      yield* plane.misbehave(Fault.Status({ status: 503, count: 1, match: posts }))
      yield* publish(StageEvent.StageChanged({ id: "run-1", workItem: key, from: "c", to: "d" }))
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(yield* lines(id), ["🔄 Stage: a → b", "🔄 Stage: c → d"])
      assert.deepInclude(yield* status, { pending: 0, dead: 0, delivered: 1 })
    }).pipe(Effect.provide(inMemory())))

  it.effect("a person deletes the comment before it is looked at: sent again, and nothing is taken to be gone (63)", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* alreadyThere(id, "run-1", "<p>🔄 Stage: a → b</p>")
      const body = `{"error":"The requested resource does not exist."}`
      yield* plane.misbehave(
        Fault.Status({ status: 404, count: 1, body, match: { method: "GET", kind: "comment" } })
      )
      yield* publish(StageEvent.StageChanged({ id: "run-1", workItem: key, from: "a", to: "b" }))
      yield* failed(key, "meanwhile")
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(yield* lines(id), ["🔄 Stage: a → b", "⚠️ QG failed at review: lint — meanwhile"])
      assert.deepInclude(yield* status, { pending: 0, dead: 0, delivered: 2 })
    }).pipe(Effect.provide(inMemory())))

  it.effect("it tells some of the owed events, as after a restored backup: the others are told alone (63)", () =>
    Effect.gen(function*() {
      const { id, key } = yield* item
      yield* alreadyThere(
        id,
        "run-0",
        "<p>🔄 Stage: s0 → s1 · 1970-01-01 00:00:00 UTC</p><p>🔄 Stage: s1 → s2 · 1970-01-01 00:00:00 UTC</p>"
      )
      for (const index of [0, 1, 2]) {
        yield* publish(
          StageEvent.StageChanged({ id: `run-${index}`, workItem: key, from: `s${index}`, to: `s${index + 1}` })
        )
      }
      yield* TestClock.adjust("1 minutes")
      assert.deepStrictEqual(yield* lines(id), [0, 1, 2].map(stageLine))
      assert.deepInclude(yield* status, { pending: 0, dead: 0, delivered: 3 })
    }).pipe(Effect.provide(inMemory())))
})

/** Why the destination is closed. */
const closedFor = Effect.map(
  projectStatus,
  ({ destination }) => destination.open ? "it is open" : destination.reason
)

describe("what the API token may do", () => {
  for (
    const [what, begin, end] of [
      [
        "its user is taken out of the project",
        (plane: PlaneSimulator["Type"]) => plane.leaveProject(),
        (plane: PlaneSimulator["Type"]) => plane.joinProject()
      ],
      [
        "its user is made a guest",
        (plane: PlaneSimulator["Type"]) => plane.setRole("guest"),
        (plane: PlaneSimulator["Type"]) => plane.setRole("member")
      ]
    ] as const
  ) {
    it.effect(`${what}: the destination closes, nothing dies, and it goes on by itself (40)`, () =>
      Effect.gen(function*() {
        const plane = yield* PlaneSimulator
        const { id, key } = yield* item
        yield* failed(key, "before")
        yield* TestClock.adjust("1 minutes")
        yield* begin(plane)
        yield* changed(key, "created", "analysis")
        yield* failed(key, "meanwhile")
        yield* TestClock.adjust("3 hours")
        assert.match(yield* closedFor, /member|guest|may not do this/)
        assert.deepInclude(yield* status, { pending: 2, dead: 0 })
        yield* end(plane)
        yield* TestClock.adjust("5 minutes")
        assert.deepInclude(yield* status, { pending: 0, dead: 0, delivered: 3 })
        assert.strictEqual((yield* plane.workItem(id)).state.name, "In Progress")
      }).pipe(Effect.provide(inMemory())))
  }

  it.effect("every write is a 403 though the probe is fine: closed, with ever longer pauses, nothing dies (40)", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { key } = yield* item
      const body = JSON.stringify({ detail: "You do not have permission to perform this action." })
      for (const method of ["POST", "PATCH"]) {
        yield* plane.misbehave(Fault.Status({ status: 403, body, match: { method } }))
      }
      yield* failed(key, "one")
      yield* TestClock.adjust("2 hours")
      assert.deepInclude(yield* status, { pending: 1, dead: 0 })
      assert.isAtMost((yield* received).length, 150)
      yield* plane.calm
      yield* TestClock.adjust("5 minutes")
      assert.deepInclude(yield* status, { pending: 0, dead: 0, delivered: 1 })
    }).pipe(Effect.provide(inMemory())))

  it.effect("one work item's writes are a 403 while others are taken: its own trouble, the others go on (40)", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const sick = yield* item
      const other = yield* item
      const body = JSON.stringify({ detail: "You do not have permission to perform this action." })
      yield* plane.misbehave(Fault.Status({ status: 403, body, match: { method: "POST", workItem: sick.id } }))
      yield* failed(sick.key, "poison")
      for (let index = 0; index < 60; index++) {
        yield* failed(other.key, `fine ${index}`)
        yield* TestClock.adjust("1 minutes")
      }
      assert.deepInclude(yield* status, { pending: 0, dead: 1, delivered: 60 })
    }).pipe(Effect.provide(inMemory())))

  it.effect("an archived project: closed with this word, and its empty lists are not believed (40)", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const known = yield* item
      yield* failed(known.key, "before")
      yield* TestClock.adjust("1 minutes")
      const other = yield* item
      yield* plane.archiveProject()
      yield* failed(other.key, "its key is not found")
      yield* TestClock.adjust("3 hours")
      assert.match(yield* closedFor, /archived/)
      assert.deepInclude(yield* status, { pending: 1, dead: 0 })
      yield* plane.restoreProject()
      yield* TestClock.adjust("5 minutes")
      assert.deepInclude(yield* status, { pending: 0, dead: 0, delivered: 2 })
    }).pipe(Effect.provide(inMemory())))

  it.effect("an archived project hides its work items: none is taken to be gone (40)", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* failed(key, "before")
      yield* TestClock.adjust("10 minutes")
      yield* plane.archiveProject()
      yield* changed(key, "created", "analysis")
      yield* TestClock.adjust("3 hours")
      assert.deepInclude(yield* status, { pending: 1, dead: 0 })
      yield* plane.restoreProject()
      yield* TestClock.adjust("5 minutes")
      assert.deepInclude(yield* status, { pending: 0, dead: 0, delivered: 2 })
      assert.strictEqual((yield* plane.workItem(id)).state.name, "In Progress")
    }).pipe(Effect.provide(inMemory())))
})

const foreign = "0f0f0f0f-0f0f-4f0f-8f0f-0f0f0f0f0f0f"

describe("a stage table that does not fit", () => {
  it.effect("names a state that does not exist: logged with stage, state and setting; comments go, states wait (41)", () =>
    Effect.gen(function*() {
      const { id, key } = yield* item
      yield* changed(key, "created", "analysis")
      yield* failed(key, "meanwhile")
      yield* TestClock.adjust("3 hours")
      assert.deepInclude(yield* status, { pending: 1, dead: 0, delivered: 1 })
      assert.deepStrictEqual(yield* lines(id), [
        "🔄 Stage: created → analysis",
        "⚠️ QG failed at review: lint — meanwhile"
      ])
      const misfit = Option.getOrElse((yield* projectStatus).misfit, () => "")
      for (const word of ["ORCH_PLANE_STAGE_STATES", `"analysis"`, foreign, "ET"]) assert.include(misfit, word)
      assert.strictEqual((yield* received).filter(({ method }) => method === "PATCH").length, 0)
      // Another stage's state fits, and is the latest.
      yield* changed(key, "analysis", "done")
      yield* TestClock.adjust("5 minutes")
      assert.deepInclude(yield* status, { pending: 0, dead: 0, delivered: 3 })
    }).pipe(Effect.provide(inMemory({
      settings: {
        ORCH_PLANE_STAGE_STATES: JSON.stringify({
          analysis: foreign,
          done: "381a2833-3c4e-4be5-bd0f-be84cb946ad8"
        })
      }
    }))))

  it.effect("an admin deletes the state while it is owed: it waits, and is set when the state is there again (41)", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* failed(key, "before")
      yield* TestClock.adjust("1 minutes")
      yield* plane.removeState(plane.stateId("Done"))
      yield* changed(key, "deploy", "done")
      yield* TestClock.adjust("1 hours")
      assert.deepInclude(yield* status, { pending: 1, dead: 0 })
      assert.include(Option.getOrElse((yield* projectStatus).misfit, () => ""), `"done"`)
      assert.strictEqual((yield* received).filter(({ method }) => method === "PATCH").length, 1)
      yield* plane.restoreState(plane.stateId("Done"))
      yield* TestClock.adjust("10 minutes")
      assert.deepInclude(yield* status, { pending: 0, dead: 0, delivered: 2 })
      assert.strictEqual((yield* plane.workItem(id)).state.name, "Done")
      assert.isTrue(Option.isNone((yield* projectStatus).misfit))
    }).pipe(Effect.provide(inMemory())))

  it.effect("Plane does not tell its states when a state is refused: that is not believed, and nothing dies (41)", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* item
      yield* failed(key, "before")
      yield* TestClock.adjust("1 minutes")
      yield* plane.removeState(plane.stateId("Done"))
      yield* plane.misbehave(Fault.Status({ status: 503, match: { method: "GET", kind: "states" } }))
      yield* changed(key, "deploy", "done")
      yield* TestClock.adjust("1 hours")
      assert.deepInclude(yield* status, { pending: 1, dead: 0 })
      yield* plane.calm
      yield* TestClock.adjust("10 minutes")
      assert.include(Option.getOrElse((yield* projectStatus).misfit, () => ""), `"done"`)
      assert.deepInclude(yield* status, { pending: 1, dead: 0 })
      yield* plane.restoreState(plane.stateId("Done"))
      yield* TestClock.adjust("10 minutes")
      assert.deepInclude(yield* status, { pending: 0, dead: 0, delivered: 2 })
      assert.strictEqual((yield* plane.workItem(id)).state.name, "Done")
    }).pipe(Effect.provide(inMemory())))

  it.effect("Plane does not tell its states at the start: they are compared as soon as it does (41)", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      yield* plane.misbehave(Fault.Status({ status: 503, count: 1, match: { method: "GET", kind: "states" } }))
      yield* TestClock.adjust("6 minutes")
      assert.include(Option.getOrElse((yield* projectStatus).misfit, () => ""), foreign)
    }).pipe(Effect.provide(inMemory({
      settings: { ORCH_PLANE_STAGE_STATES: JSON.stringify({ analysis: foreign }) }
    }))))
})
