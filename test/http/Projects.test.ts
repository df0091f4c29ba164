import { assert, describe, it } from "@effect/vitest"
import { Effect, Schedule, Schema } from "effect"
import { createHmac } from "node:crypto"
import { writeFileSync } from "node:fs"
import type { PlaneSimulatorOptions, ProjectOptions } from "../../src/simulator/PlaneSimulator.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { fakeGitea } from "../gitea/FakeGitea.js"
import { listed } from "../gitea/Forge.js"
import { moveBody, pullBody, sha, uuid } from "../webhooks/Scene.js"
import { deliver, secrets } from "../webhooks/Sender.js"
import { folder, post, request, served } from "./Server.js"

const app: ProjectOptions = {
  id: "99999999-0000-4000-8000-000000000001",
  identifier: "APP",
  name: "App",
  states: [
    { id: "99999999-0000-4000-8000-0000000000a1", name: "Ideas", group: "unstarted" },
    { id: "99999999-0000-4000-8000-0000000000a2", name: "Doing", group: "started" },
    { id: "99999999-0000-4000-8000-0000000000a3", name: "Shipped", group: "completed" }
  ]
}

const planeWith = (options: PlaneSimulatorOptions = {}) =>
  Effect.provide(PlaneSimulator.layer({ furtherProjects: [app], ...options }))

const both = {
  ET: { stages: { analysis: "In Progress", done: "Done" } },
  APP: {
    pipeline: [
      { stage: "draft", state: "Ideas", gates: ["started"] },
      { stage: "write", state: { group: "started" }, agent: "writer", gates: ["merged"] },
      { stage: "live", state: "Shipped" }
    ],
    texts: { stageChanged: "{workItem} is at {to}", taskCompleted: "Published." }
  }
}

/** The whole program with these projects, by their identifiers and the names of states alone. */
const programOf = (projects: object, settings: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function*() {
    const file = `${yield* folder}/plane-sync.json`
    writeFileSync(file, JSON.stringify({ projects }))
    return yield* served({ ORCH_CONFIG: file, ORCH_PLANE_PROJECT_ID: "", ...settings })
  })

const published = (url: string, event: object) =>
  Effect.map(post(url, JSON.stringify(event)), ({ status }) => assert.strictEqual(status, 202))

const changed = (workItem: string, from: string, to: string) => ({ type: "stage_changed", workItem, from, to })

const until = <E, R>(holds: Effect.Effect<boolean, E, R>) =>
  Effect.repeat(holds, { until: (so) => so, schedule: Schedule.spaced("20 millis") }).pipe(Effect.timeout("60 seconds"))

/** Waits until Plane shows a comment that ends so, and gives all that it shows. */
const told = (plane: PlaneSimulator["Type"], id: string, words: string) => {
  const read = Effect.map(plane.comments(id), (comments) => comments.map(({ html }) => html))
  return Effect.zipRight(until(Effect.map(read, (all) => all.some((html) => html.includes(words)))), read)
}

const stateOf = (plane: PlaneSimulator["Type"], id: string) =>
  Effect.map(plane.workItem(id), ({ state: { name } }) => name)

const signedWith = (secret: string, body: string) => ({
  signature: createHmac("sha256", secret).update(body).digest("hex")
})

const Tasks = Schema.Struct({ tasks: Schema.Array(Schema.Struct({ workItem: Schema.String, stage: Schema.String })) })

const stagesOf = (url: string) =>
  Effect.map(
    request(`${url}/api/tasks`),
    ({ body }) =>
      Object.fromEntries(Schema.decodeUnknownSync(Tasks)(body).tasks.map(({ stage, workItem }) => [workItem, stage]))
  )

const Health = Schema.Struct({
  webhooks: Schema.Struct({
    plane: Schema.Struct({ skipped: Schema.Array(Schema.Struct({ kind: Schema.String, count: Schema.Number })) })
  })
})

const skipped = (url: string) =>
  Effect.map(request(`${url}/health`), ({ body }) => Schema.decodeUnknownSync(Health)(body).webhooks.plane.skipped)

describe("several projects in one program", () => {
  it.scopedLive(
    "on one key: each has its own states and words, one that is closed holds up no other, no 429",
    () =>
      Effect.gen(function*() {
        const plane = yield* PlaneSimulator
        const trail = yield* plane.addWorkItem({ name: "Trail map" })
        const page = yield* plane.addWorkItem({ name: "Page", projectId: app.id })
        const url = yield* programOf(both, { ORCH_PLANE_MAX_BACKOFF: "1 second" })
        yield* published(url, changed(trail.key, "created", "analysis"))
        yield* published(url, changed(page.key, "draft", "write"))
        assert.deepStrictEqual(yield* told(plane, page.id, "APP-"), [`<p>${page.key} is at write</p>`])
        assert.deepStrictEqual(yield* told(plane, trail.id, "Stage"), ["<p>🔄 Stage: created → analysis</p>"])
        assert.strictEqual(yield* stateOf(plane, trail.id), "In Progress")
        assert.strictEqual(yield* stateOf(plane, page.id), "Doing")
        yield* plane.leaveProject()
        yield* published(url, changed(trail.key, "analysis", "done"))
        yield* published(url, changed(page.key, "write", "live"))
        yield* told(plane, page.id, "is at live")
        assert.strictEqual(yield* stateOf(plane, page.id), "Shipped")
        const known = yield* request(`${url}/api/events?status=pending`)
        assert.include(JSON.stringify(known.body), trail.key)
        yield* plane.joinProject()
        yield* told(plane, trail.id, "analysis → done")
        yield* published(url, changed("NO-1", "a", "b"))
        const dead = Effect.map(request(`${url}/api/deliveries`), ({ body }) => JSON.stringify(body))
        yield* until(Effect.map(dead, (all) => all.includes("NO-1")))
        assert.match(yield* dead, /ET.*APP/)
        assert.isFalse((yield* plane.requests).some(({ status }) => status === 429))
      }).pipe(planeWith()),
    90_000
  )

  it.scopedLive("on two keys: each is asked with its own", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const trail = yield* plane.addWorkItem({ name: "Trail map" })
      const page = yield* plane.addWorkItem({ name: "Page", projectId: app.id })
      const url = yield* programOf({ ...both, APP: { ...both.APP, apiToken: "APP_TOKEN" } }, {
        APP_TOKEN: plane.tokens.owner
      })
      yield* published(url, changed(page.key, "draft", "write"))
      yield* published(url, changed(trail.key, "created", "analysis"))
      yield* told(plane, page.id, "is at write")
      yield* told(plane, trail.id, "Stage")
      const authors = yield* Effect.forEach([trail, page], ({ id }) =>
        Effect.map(plane.comments(id), ([comment]) => comment?.author))
      assert.strictEqual(authors[0], plane.bot.name)
      assert.notStrictEqual(authors[1], plane.bot.name)
      assert.isFalse((yield* plane.requests).some(({ status }) =>
        status === 429
      ))
    }).pipe(planeWith()), 90_000)

  it.scopedLive(
    "a restart while Plane is away takes events, and sends them by what was kept",
    () =>
      Effect.gen(function*() {
        const plane = yield* PlaneSimulator
        const page = yield* plane.addWorkItem({ name: "Page", projectId: app.id })
        const database = { ORCH_DATABASE_URL: `${yield* folder}/events.sqlite` }
        yield* Effect.scoped(Effect.gen(function*() {
          const url = yield* programOf(both, database)
          yield* published(url, changed(page.key, "a", "draft"))
          yield* told(plane, page.id, "is at draft")
        }))
        yield* plane.misbehave({ _tag: "Down" })
        const url = yield* programOf(both, database)
        yield* published(url, changed(page.key, "draft", "live"))
        yield* plane.calm
        yield* told(plane, page.id, "is at live")
        assert.strictEqual(yield* stateOf(plane, page.id), "Shipped")
      }).pipe(planeWith()),
    90_000
  )

  it.scopedLive(
    "each task goes through the pipeline of its project, and hooks of one secret move its projects alone",
    () =>
      Effect.gen(function*() {
        const url = yield* programOf(
          { ...both, APP: { ...both.APP, id: app.id, webhookSecret: "APP_SECRET" }, ET: { ...both.ET, id: enduro } },
          { APP_SECRET: "of app", ORCH_PLANE_WEBHOOK_SECRET: secrets.plane, ORCH_PLANE_API_TOKEN: "" }
        )
        const started = (number: number, project: string, secret: string) => {
          const body = moveBody({ number, to: "inProgress", at: 1, project, id: uuid(number) })
          return Effect.map(deliver(url, "plane", body, signedWith(secret, body)), ({ status }) => status)
        }
        // Each secret moves the work items of its own project only.
        assert.strictEqual(yield* started(1, enduro, "of app"), 202)
        assert.strictEqual(yield* started(2, app.id, secrets.plane), 202)
        assert.strictEqual(yield* started(3, app.id, "of nobody"), 401)
        yield* until(Effect.map(skipped(url), ([one]) => one?.count === 2))
        assert.deepStrictEqual(yield* skipped(url), [{ kind: "signed with the secret of another project", count: 2 }])
        assert.deepStrictEqual(yield* stagesOf(url), {})
        assert.strictEqual(yield* started(4, enduro, secrets.plane), 202)
        assert.strictEqual(yield* started(5, app.id, "of app"), 202)
        yield* until(Effect.map(stagesOf(url), (all) => all["APP-5"] === "write" && all["ET-4"] === "analysis"))
        const unsigned = yield* deliver(url, "plane", "{}", { signature: undefined })
        assert.include(unsigned.body, "ORCH_PLANE_WEBHOOK_SECRET or APP_SECRET")
        const forged = yield* deliver(url, "plane", "{}", signedWith("of nobody", "{}"))
        assert.include(forged.body, "not that of ORCH_PLANE_WEBHOOK_SECRET, nor that of APP_SECRET")
        const report = yield* request(`${url}/api/tasks/APP-5/report`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ stage: "analysis", outcome: "passed" })
        })
        assert.strictEqual(report.status, 400)
        assert.include(JSON.stringify(report.body), "draft, write, live")
      }).pipe(planeWith()),
    90_000
  )

  it.scopedLive(
    "two Giteas with the same ids and names: the signature tells them apart, and no fact is another's",
    () =>
      Effect.gen(function*() {
        const url = yield* programOf({
          ET: { ...both.ET, pipeline: [{ stage: "work", gates: ["merged"] }, { stage: "done" }], stages: undefined },
          APP: {
            ...both.APP,
            gitea: { url: "https://git.acme.example", webhookSecret: "APP_GITEA_SECRET" }
          }
        }, { APP_GITEA_SECRET: "of acme", ORCH_GITEA_WEBHOOK_SECRET: secrets.gitea, ORCH_PLANE_API_TOKEN: "" })
        const start = (workItem: string) =>
          request(`${url}/api/tasks`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ workItem })
          })
        yield* start("ET-7")
        yield* start("APP-7")
        const merged = (secret: string, title: string) => {
          const change = { title, head: { label: "climb", ref: "climb" } }
          const body = pullBody("pull_request_closed_merged", {
            number: 12,
            workItem: 7,
            head: sha("a"),
            at: 5,
            change
          })
          const sent = { event: "pull_request", ...signedWith(secret, body) }
          return Effect.map(deliver(url, "gitea", body, sent), ({ status }) => assert.strictEqual(status, 202))
        }
        // Of the other Gitea each: it says the right key, and is about nothing.
        yield* merged("of acme", "ET-7 climb")
        yield* merged(secrets.gitea, "APP-7 climb")
        const considered = (key: string) =>
          Effect.map(request(`${url}/api/tasks/${key}`), ({ body }) => JSON.stringify(body))
        yield* Effect.sleep("500 millis")
        assert.notInclude(yield* considered("ET-7"), "rideworks")
        assert.deepStrictEqual(yield* stagesOf(url), { "ET-7": "work", "APP-7": "write" })
        // The same number of the same repository, of its own Gitea each.
        yield* merged("of acme", "APP-7 climb, now")
        yield* until(Effect.map(stagesOf(url), (all) => all["APP-7"] === "live"))
        assert.strictEqual((yield* stagesOf(url))["ET-7"], "work")
        yield* merged(secrets.gitea, "ET-7 climb, now")
        yield* until(Effect.map(stagesOf(url), (all) => all["ET-7"] === "done"))
      }).pipe(planeWith()),
    90_000
  )

  it.scopedLive(
    "a project's own Gitea is asked with its own token, by its own ids, and moves a task by its answers",
    () =>
      Effect.gen(function*() {
        const common = yield* fakeGitea
        const own = yield* fakeGitea
        const pages = "/api/v1/repos/acme/pages"
        const repo = { id: 1, full_name: "acme/pages", default_branch: "main" }
        const mergedAt = new Date(Date.now() + 86_400_000).toISOString()
        const pull = listed({ title: "APP-7: climb", updated_at: mergedAt, base: { ref: "main", repo } })
        own.answers.set(pages, repo)
        own.answers.set(`${pages}/pulls`, [pull])
        own.answers.set(`${pages}/pulls/88`, { ...pull, state: "closed", merged: true, merged_at: mergedAt })
        const url = yield* programOf({
          ...both,
          APP: { ...both.APP, repositories: ["acme/pages"], gitea: { url: own.url, token: "APP_GITEA_TOKEN" } }
        }, {
          APP_GITEA_TOKEN: own.token,
          ORCH_GITEA_URL: common.url,
          ORCH_GITEA_TOKEN: common.token,
          ORCH_PLANE_API_TOKEN: ""
        })
        yield* request(`${url}/api/tasks`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ workItem: "APP-7" })
        })
        yield* until(Effect.map(stagesOf(url), (all) => all["APP-7"] === "live"))
        assert.isFalse(common.asked.some((path) => path.includes("acme/pages")))
        // People see the id that Gitea itself gives, and which Gitea it is.
        const { body } = yield* request(`${url}/api/tasks/APP-7`)
        assert.deepInclude(body, { repository: { id: 1, name: "acme/pages", gitea: own.url } })
        const { status } = yield* request(`${url}/health`)
        assert.strictEqual(status, 200)
      }).pipe(planeWith()),
    90_000
  )
})

const enduro = "7a79f0a9-5278-49cd-9007-9a338f238f9c"
