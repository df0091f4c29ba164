import { assert, describe, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { writeFileSync } from "node:fs"
import type { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { folder, withPlane } from "../http/Server.js"
import { circleWith, comesTo, told } from "./Circle.js"
import { changed } from "./Fixtures.js"
import { alone, moveBody, scene, uuid } from "./Scene.js"
import { deliver } from "./Sender.js"

type Scene = Effect.Effect.Success<ReturnType<typeof scene>>

const pipeline = [
  { stage: "created", state: "Todo", gates: ["started"] },
  { stage: "build", state: "In Progress", agent: "builder", gates: ["reported"] },
  { stage: "check", state: "In Progress", agent: "checker", gates: ["human"] },
  { stage: "done", state: "Done" }
]

/** The file of a project whose pipeline has a gate `human`. */
const projectsFile = (project: object = {}) =>
  Effect.map(folder, (home) => {
    const file = `${home}/plane-sync.json`
    writeFileSync(file, JSON.stringify({ projects: { ET: { pipeline, ...project } } }))
    return { ORCH_CONFIG: file, ORCH_PLANE_PROJECT_ID: "" }
  })

const p = (text: string) => `<p class="editor-paragraph-block" data-id="6a4c1f0e">${text}</p>`

const comments = (plane: PlaneSimulator["Type"], itemId: string) =>
  Effect.map(plane.comments(itemId), (all) => all.map(({ html }) => html.replace(/<[^>]+>/g, "")))

const repliesIn = (plane: PlaneSimulator["Type"], itemId: string) =>
  Effect.map(comments(plane, itemId), (all) => all.filter((text) => /^(✅ \/|⛔ \/)/u.test(text)))

/** Waits until Plane shows so many replies, and gives all. */
const replied = (plane: PlaneSimulator["Type"], itemId: string, count: number) =>
  Effect.zipRight(
    Effect.repeat(repliesIn(plane, itemId), {
      until: (all) => all.length >= count,
      schedule: Schedule.spaced("20 millis")
    }).pipe(Effect.timeout("60 seconds")),
    repliesIn(plane, itemId)
  )

const taskNow = (at: Scene) =>
  Effect.promise(async () => {
    const response = await fetch(`${at.url}/api/tasks/ET-1`)
    return await response.json() as Readonly<Record<string, unknown>>
  })

const ask = (at: Scene, question: string) =>
  Effect.promise(() =>
    fetch(`${at.url}/api/tasks/ET-1/ask`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ question, agent: "checker" })
    })
  ).pipe(Effect.map(({ status }) => assert.strictEqual(status, 200)))

const report = (at: Scene, stage: string) =>
  Effect.promise(() =>
    fetch(`${at.url}/api/tasks/ET-1/report`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ stage, outcome: "passed" })
    })
  )

/** A task at the stage `check`, in a Plane whose person may command. */
const atCheck = (project: object = { commands: ["Olga@plane.test"] }) =>
  Effect.gen(function*() {
    const { at, plane } = yield* circleWith(yield* projectsFile(project))
    const { id } = yield* plane.addWorkItem({ name: "Cross the ford" })
    yield* plane.moveWorkItem(id, "In Progress")
    yield* comesTo(at, 1, "build active")
    yield* report(at, "build")
    yield* comesTo(at, 1, "check active")
    const say = (text: string) => plane.addPersonComment(id, p(text))
    return { at, plane, id, say }
  })

describe("commands in comments", () => {
  it.live(
    "/approve lets a task leave the stage of the gate `human`, and /reject fails it with its reason",
    () =>
      Effect.gen(function*() {
        const { at, id, plane, say } = yield* atCheck()
        yield* say("/reject the <b>ford</b> is deep")
        assert.deepStrictEqual(yield* replied(plane, id, 1), ["✅ /reject (olga): check is rejected"])
        yield* told(at)
        assert.include(yield* comments(plane, id), "⚠️ QG failed at check: human — olga: the ford is deep")
        assert.strictEqual(yield* at.stage(1), "check active")
        yield* plane.addPersonComment(
          id,
          `<p><mention-component entity_identifier="${plane.bot.id}"></mention-component> /approve please</p>`
        )
        yield* comesTo(at, 1, "done done")
        yield* told(at)
        assert.deepStrictEqual(yield* replied(plane, id, 2), [
          "✅ /reject (olga): check is rejected",
          "✅ /approve (olga): check is approved"
        ])
        yield* say("/approve")
        const [, , late] = yield* replied(plane, id, 3)
        assert.include(late, "⛔ /approve (olga) was not done: its task is done")
      }).pipe(Effect.scoped),
    60_000
  )

  it.live(
    "/retry launches the agent again, /pause none until /resume, and /cancel stops the task",
    () =>
      Effect.gen(function*() {
        const { at, id, plane, say } = yield* atCheck()
        const before = yield* taskNow(at)
        yield* say("/reject no")
        yield* replied(plane, id, 1)
        yield* say("/retry")
        yield* replied(plane, id, 2)
        const after = yield* taskNow(at)
        assert.notStrictEqual(after["entry"], before["entry"])
        assert.strictEqual(after["stage"], "check")
        yield* at.settled
        // The work is done anew, so what was said of it does not count.
        const verdicts = (yield* taskNow(at))["verdicts"] as ReadonlyArray<Readonly<Record<string, unknown>>>
        assert.deepInclude(verdicts.find(({ gate }) => gate === "human"), { verdict: "pending" })

        yield* say("/pause")
        yield* replied(plane, id, 3)
        assert.deepInclude((yield* taskNow(at))["paused"], { by: "olga" })
        yield* say("/retry")
        yield* say("/pause")
        const refused = (yield* replied(plane, id, 5)).slice(3)
        assert.sameMembers(refused, [
          "⛔ /retry (olga) was not done: no agent is launched since olga wrote /pause: write /resume first",
          "⛔ /pause (olga) was not done: olga has paused it already"
        ])
        yield* say("/resume")
        yield* replied(plane, id, 6)
        assert.isNull((yield* taskNow(at))["paused"])

        yield* say("/status")
        const status = (yield* replied(plane, id, 7))[6] ?? ""
        assert.include(status, "ET-1 is at check since ")
        assert.include(status, "gate human: pending (a person has to say /approve or /reject to check)")
        yield* say("/help")
        assert.include((yield* replied(plane, id, 8))[7], "/approve – ")

        yield* told(at)
        const changes = yield* plane.stateChanges(id)
        yield* say("/cancel")
        assert.include((yield* replied(plane, id, 9))[8], "its state in Plane is left to you")
        assert.strictEqual(yield* at.stage(1), "check stopped")
        yield* told(at)
        assert.deepStrictEqual(yield* plane.stateChanges(id), changes)
        yield* say("/cancel")
        assert.include((yield* replied(plane, id, 10))[9], "⛔ /cancel (olga) was not done: its task is stopped")
      }).pipe(Effect.scoped),
    60_000
  )

  it.live(
    "/answer closes the open question, and its agent is launched again with the answer",
    () =>
      Effect.gen(function*() {
        const { at, id, plane, say } = yield* atCheck()
        yield* say("/answer yes")
        assert.include((yield* replied(plane, id, 1))[0], "⛔ /answer (olga) was not done: no question is open")
        yield* ask(at, "Postgres or <SQLite>?")
        yield* say("/status")
        assert.include((yield* replied(plane, id, 2))[1], "waits for somebody: Postgres or &lt;SQLite&gt;?")
        const { entry } = yield* taskNow(at)
        yield* plane.addPersonComment(id, p("/answer Postgres, because") + p("&lt;it&gt; — is <code>there</code>"))
        assert.strictEqual(
          (yield* replied(plane, id, 3))[2],
          "✅ /answer (olga): checker is launched again for check, and gets the answer"
        )
        const task = yield* taskNow(at)
        assert.notStrictEqual(task["entry"], entry)
        assert.deepStrictEqual(task["waiting"], [])
        assert.deepInclude((task["answers"] as ReadonlyArray<object>)[0], {
          question: "Postgres or <SQLite>?",
          answer: "Postgres, because\n<it> — is there",
          by: "olga"
        })
      }).pipe(Effect.scoped),
    60_000
  )

  it.live(
    "are refused once when the person may not, and nothing is said where nobody may",
    () =>
      Effect.gen(function*() {
        const { at, id, plane, say } = yield* atCheck({ commands: ["gustav@plane.test"] })
        yield* say("/approve")
        const [refused] = yield* replied(plane, id, 1)
        assert.include(refused, "⛔ /approve (olga) was not done: who may command tasks of ET is a setting")
        yield* say("what does /approve do?")
        yield* at.settled
        assert.strictEqual(yield* at.stage(1), "check active")
        assert.lengthOf(yield* repliesIn(plane, id), 1)

        const without = yield* atCheck({})
        yield* without.say("/approve")
        yield* without.say("/help")
        yield* told(without.at)
        assert.strictEqual(yield* without.at.stage(1), "check active")
        assert.deepStrictEqual(yield* repliesIn(without.plane, without.id), [])
      }).pipe(Effect.scoped),
    60_000
  )

  it.live(
    "are not taken from our own user, from an edit, or from a work item without a task",
    () =>
      Effect.gen(function*() {
        const { at, id, plane, say } = yield* atCheck({ commands: ["olga@plane.test", "plane-sync@plane.test"] })
        yield* Effect.promise(() =>
          fetch(
            `${plane.url}/api/v1/workspaces/${plane.workspace}/projects/${plane.project.id}/work-items/${id}/comments/`,
            {
              method: "POST",
              headers: { "content-type": "application/json", "x-api-key": plane.token },
              body: JSON.stringify({ comment_html: p("/approve"), created_by: plane.person.id })
            }
          )
        )
        const harmless = yield* say("nothing to see")
        yield* plane.editComment(harmless.id, p("/approve"))
        const other = yield* plane.addWorkItem({ name: "Nobody's" })
        yield* plane.addPersonComment(other.id, p("/approve"))
        yield* told(at)
        // The hooks come by themselves: the last one is worked on.
        yield* say("/help")
        yield* replied(plane, id, 1)
        yield* at.settled
        assert.strictEqual(yield* at.stage(1), "check active")
        assert.lengthOf(yield* repliesIn(plane, id), 1)
        assert.deepStrictEqual(yield* repliesIn(plane, other.id), [])
      }).pipe(Effect.scoped),
    60_000
  )
})

const lea = "026c4518-d1f8-5b24-a2a1-c354e2f0c385"
const began = 1

interface Said {
  readonly html?: string
  readonly comment?: number
  readonly issue?: string
  readonly at?: number
  readonly actor?: string
  readonly data?: object
  readonly more?: object
}

const time = (at: number) => new Date(Date.UTC(2026, 9, 5, 8, 0, at)).toISOString().replace("000Z", "250000Z")

/** The body of a hook about a comment that was made, as Plane sends it: by default an approval after the start. */
const said = (
  { actor = lea, at = began + 60, comment = 1, data = {}, html = p("/cancel"), issue = uuid(7), more = {} }: Said
) =>
  changed("plane/issue_comment_created", {
    data: {
      id: uuid(9_000 + comment),
      issue,
      comment_html: html,
      created_at: time(at),
      updated_at: time(at),
      external_source: null,
      external_id: null,
      ...data
    },
    activity: { actor: { id: actor } },
    ...more
  })

/** A task of the default pipeline, ET-7, in a program that sends nothing. */
const started = (settings: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function*() {
    const at = yield* scene({ ...alone, ORCH_COMMANDS: lea, ...settings })
    yield* at.plane(moveBody({ number: 7, to: "inProgress", at: began }))
    assert.strictEqual(yield* at.stage(7), "analysis active")
    const comment = (given: Said) => at.plane(said(given), { event: "issue_comment" })
    const replies = Effect.map(at.events, (all) => all.filter(({ type }) => type === "noted").map(({ text }) => text))
    return { at, comment, replies }
  })

describe("a hook of a comment", () => {
  it.live(
    "is obeyed once, however often it is told, also when nothing else is known of it any more",
    () =>
      Effect.gen(function*() {
        const { at, comment, replies } = yield* started()
        yield* comment({ html: p("/pause") })
        yield* comment({ html: p("/pause") })
        yield* at.settled
        assert.deepStrictEqual(yield* replies, [
          "✅ /pause (lea): no more agents are launched for it until /resume; one that is at work goes on"
        ])
        yield* comment({ html: p("/resume"), comment: 2 })
        yield* at.settled
        yield* at.sql`DELETE FROM plane_sync_webhook`
        yield* at.sql`DELETE FROM plane_sync_event WHERE id LIKE 'command:%'`
        yield* comment({ html: p("/pause") })
        yield* at.settled
        assert.deepStrictEqual(yield* replies, [])
        assert.deepStrictEqual(
          yield* at.sql`SELECT launches_paused_by AS by FROM plane_sync_task WHERE canonical = 'ET-7'`,
          [{ by: null }]
        )
      }).pipe(Effect.scoped, withPlane),
    60_000
  )

  it.live(
    "is not obeyed if it is forged: not signed, foreign, edited, of before the start, or of another's name",
    () =>
      Effect.gen(function*() {
        const { at, comment, replies } = yield* started()
        const unsigned = yield* deliver(at.url, "plane", said({}), { event: "issue_comment", signature: undefined })
        const wrong = yield* deliver(at.url, "plane", said({}), { event: "issue_comment", signature: "0".repeat(64) })
        assert.deepStrictEqual([unsigned.status, wrong.status], [401, 401])
        yield* comment({ comment: 2, data: { project: uuid(500) } })
        yield* comment({ comment: 3, issue: uuid(8) })
        yield* comment({ comment: 4, at: began - 30 })
        yield* comment({ comment: 5, more: { action: "updated" } })
        yield* comment({
          comment: 6,
          more: { action: "updated", activity: { field: "comment_html", actor: { id: lea } } }
        })
        // Somebody has put a command into it before Plane has made the hook.
        yield* comment({ comment: 14, data: { updated_by: uuid(600) } })
        yield* comment({ comment: 15, data: { edited_at: time(began + 61) } })
        yield* comment({ comment: 7, data: { external_source: "plane-sync" } })
        yield* comment({ comment: 8, html: `<p><code>/cancel</code></p>` })
        yield* comment({ comment: 9, more: { event: "issue" } })
        yield* comment({ comment: 10, data: { id: "../../x" } })
        yield* comment({ comment: 11, more: { activity: { field: null, actor: null } } })
        assert.strictEqual(yield* at.stage(7), "analysis active")
        assert.deepStrictEqual(yield* replies, [])
        // What the comment says of its maker is not believed.
        yield* comment({ comment: 12, actor: uuid(600), data: { created_by: lea, actor: lea } })
        assert.strictEqual(yield* at.stage(7), "analysis active")
        assert.lengthOf(yield* replies, 1)
        assert.include((yield* replies)[0], "⛔ /cancel (lea) was not done: who may command")
        yield* comment({ comment: 13 })
        assert.strictEqual(yield* at.stage(7), "analysis stopped")
      }).pipe(Effect.scoped, withPlane),
    60_000
  )

  it.live("is not obeyed where hooks are taken without a signature", () =>
    Effect.gen(function*() {
      const { at, comment, replies } = yield* started({ ORCH_PLANE_WEBHOOK_SECRET: "", ORCH_WEBHOOKS_INSECURE: "true" })
      yield* comment({})
      assert.strictEqual(yield* at.stage(7), "analysis active")
      assert.deepStrictEqual(yield* replies, [])
      const reasons = (yield* at.inbox).map(({ reason }) => reason)
      assert.include(reasons, "a command is only taken from a signed webhook")
    }).pipe(Effect.scoped, withPlane), 60_000)

  it.live(
    "is not obeyed if it was stored without a signature, and is worked on after a secret was set",
    () =>
      Effect.gen(function*() {
        const { at, comment, replies } = yield* started()
        const store = (comment: number, isSigned: number) =>
          Effect.gen(function*() {
            const [row] = yield* at.sql<{ id: number }>`INSERT INTO plane_sync_webhook
            (source, delivery, event, digest, characters, received_at, signer, is_signed)
            VALUES ('plane', '', 'issue_comment', ${`digest ${comment}`}, 1, ${Date.now()}, '', ${isSigned}) RETURNING id`
            yield* at.sql`INSERT INTO plane_sync_webhook_body (id, body)
            VALUES (${row?.id ?? 0}, ${said({ comment, html: p("/pause") })})`
            yield* at.settled
          })
        yield* store(1, 0)
        assert.deepStrictEqual(yield* replies, [])
        assert.include((yield* at.inbox).map(({ reason }) => reason), "a command is only taken from a signed webhook")
        yield* store(2, 1)
        assert.lengthOf(yield* replies, 1)
        // What came of it is not in the way of the same comment, once its hook comes with a signature.
        yield* comment({ comment: 1, html: p("/resume") })
        yield* at.settled
        assert.lengthOf(yield* replies, 2)
      }).pipe(Effect.scoped, withPlane),
    60_000
  )

  it.live(
    "with 300,000 letters brings one refusal, and many commands bring no more than 30 replies an hour",
    () =>
      Effect.gen(function*() {
        const { at, comment, replies } = yield* started()
        yield* comment({ html: p(`/reject ${"ы".repeat(300_000)}`) })
        yield* at.settled
        assert.deepStrictEqual(yield* replies, [
          "⛔ /reject (lea) was not done: the comment is too long: expected at most 4,000 characters"
        ])
        for (let index = 2; index < 40; index++) yield* comment({ comment: index, html: p("/status") })
        yield* at.settled
        assert.lengthOf(yield* replies, 30)
        yield* comment({ comment: 50 })
        assert.strictEqual(yield* at.stage(7), "analysis stopped")
      }).pipe(Effect.scoped, withPlane),
    60_000
  )

  it.live("says what is in it as text, whoever has written it", () =>
    Effect.gen(function*() {
      const { at, comment, replies } = yield* started()
      const actor = { id: lea, display_name: "/approve <img src=x onerror=alert(1)>" }
      yield* comment({ html: p("/approve"), more: { activity: { actor } } })
      yield* at.settled
      const [reply] = yield* replies
      assert.include(reply, "⛔ /approve (/approve <img src=x onerror=alert(1)>) was not done: analysis does not wait")
    }).pipe(Effect.scoped, withPlane), 60_000)
})
