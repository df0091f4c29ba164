import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises"
import type { ProjectOptions } from "../../src/simulator/PlaneSimulator.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { folder } from "../http/Server.js"
import { key, onTerminal, type Step } from "../support/OnTerminal.js"
import { freePort, listening, Program, run, start } from "./Child.js"
import { onProgram } from "./OnProgram.js"

const secretFile = 0o600

const read = (path: string) => Effect.promise(() => readFile(path, "utf8"))
const write = (path: string, text: string) => Effect.promise(() => writeFile(path, text))
const names = (path: string) => Effect.map(Effect.promise(() => readdir(path)), (all) => all.sort())
const modeOf = (path: string) => Effect.map(Effect.promise(() => stat(path)), ({ mode }) => mode & 0o777)

const further: ProjectOptions = {
  id: "0b8ff0a9-5278-49cd-9007-9a338f238f9c",
  identifier: "WEB",
  name: "Website",
  states: [
    { id: "11111111-1111-4111-8111-111111111111", name: "Offen", group: "unstarted" },
    { id: "22222222-2222-4222-8222-222222222222", name: "In Arbeit", group: "started" },
    { id: "33333333-3333-4333-8333-333333333333", name: "Prüfung", group: "started" },
    { id: "44444444-4444-4444-8444-444444444444", name: "Fertig", group: "completed" }
  ]
}

const many = Array.from({ length: 12 }, (_, index): ProjectOptions => ({
  ...further,
  id: further.id.replace("0b8f", `${1000 + index}`),
  identifier: `P${index + 1}`,
  states: further.states.map((state) => ({ ...state, id: state.id.replace(/^.{4}/, String(1000 + index)) }))
}))

const withPlane = Effect.provide(PlaneSimulator.layer({ furtherProjects: [further] }))

/** `plane-sync init` on a terminal. */
const asked = (
  cwd: string,
  steps: ReadonlyArray<Step>,
  options: { readonly args?: ReadonlyArray<string>; readonly settings?: Readonly<Record<string, string>> } = {}
) =>
  Effect.flatMap(Program, ({ path }) =>
    onTerminal([process.execPath, path, "init", ...options.args ?? []], {
      cwd,
      steps,
      ...(options.settings === undefined ? {} : { settings: options.settings })
    }))

const { down, enter, interrupt } = key

onProgram((it) =>
  describe.concurrent("plane-sync init", () => {
    it.scoped("asks a person on a terminal, and what it writes is all that serve needs", () =>
      Effect.gen(function*() {
        const plane = yield* PlaneSimulator
        const item = yield* plane.addWorkItem({ name: "Trail map" })
        const cwd = yield* folder
        const secret = "plane_wh_0123456789abcdef0123456789abcdef"
        const { raw, shown, status } = yield* asked(cwd, [
          ["or that of any of its pages", `${plane.url}/ag_proj/projects/?a=b${enter}`],
          ["API token", `"plane_api wrong"${enter}`],
          ["it has blanks in it.*API token", ` '${plane.token}' ${enter}`],
          // "Select all" and its neighbour stand before the projects: all are chosen.
          ["Which projects", enter],
          ["→ Done \\(completed\\).*Y/n", `y${enter}`],
          ["→ Fertig \\(completed\\).*Y/n", `n${enter}`],
          ["created →", enter],
          ["analysis →", `${down}${enter}`],
          ["architecture →", enter],
          ["development →", enter],
          ["review →", enter],
          ["testing →", enter],
          ["deploy →", enter],
          ["done →", enter],
          ["→ Fertig \\(completed\\).*Y/n", `y${enter}`],
          ["The secret that Plane shows", `${secret}${enter}`],
          ["Make a secret for Gitea", `y${enter}`]
        ])
        assert.strictEqual(status, 0, shown)
        assert.include(shown, `${plane.url}/ag_proj/settings/webhooks/`)
        assert.include(shown, "http://<this machine>:8500/webhooks/plane")
        assert.include(shown, "http://<this machine>:8500/webhooks/gitea")
        for (const hidden of [plane.token, secret, "plane_api wrong"]) assert.notInclude(raw, hidden)
        // The checks at the end ask nothing again, and nothing is left out for it.
        assert.isAtMost((yield* plane.requests).length, 8)
        assert.match(shown, /✔ project WEB: .*a\s+member\s+of\s+it/s)
        assert.match(shown, /✔ stages of WEB: created, analysis → Offen/)
        assert.match(shown, /✔ Plane's version: Plane 1\.3\.1/)

        assert.deepStrictEqual(yield* names(cwd), [".env", "plane-sync.json"])
        for (const name of [".env", "plane-sync.json"]) assert.strictEqual(yield* modeOf(`${cwd}/${name}`), secretFile)
        const env = yield* read(`${cwd}/.env`)
        for (const line of [`API_URL=${plane.url}`, `API_TOKEN=${plane.token}`, `WEBHOOK_SECRET=${secret}`]) {
          assert.include(env, `\nORCH_PLANE_${line}\n`)
        }
        const [, gitea = ""] = /^ORCH_GITEA_WEBHOOK_SECRET=([0-9a-f]{48})$/m.exec(env) ?? []
        assert.notStrictEqual(gitea, "")
        assert.notInclude(raw, gitea)
        const file: unknown = JSON.parse(yield* read(`${cwd}/plane-sync.json`))
        const doing = "In Progress"
        assert.deepStrictEqual(file, {
          projects: {
            ET: {
              stages: {
                created: "Todo",
                analysis: doing,
                architecture: doing,
                development: doing,
                review: doing,
                testing: doing,
                deploy: doing,
                done: "Done"
              }
            },
            WEB: {
              stages: {
                created: "Offen",
                // The first that was not proposed.
                analysis: "Offen",
                architecture: "In Arbeit",
                development: "In Arbeit",
                review: "Prüfung",
                testing: "Prüfung",
                deploy: "Prüfung",
                done: "Fertig"
              }
            }
          }
        })

        const port = String(yield* freePort)
        const child = yield* start(["serve"], { cwd, settings: { ORCH_PORT: port } })
        const { err } = yield* listening(child)
        const line = err.split("\n").find((each) => each.includes(": file ")) ?? err
        assert.include(
          line,
          `Plane ${plane.url} (workspace ag_proj, projects ET, WEB), webhooks of plane and gitea, no notices, so before Plane 1.4 nobody is reached when a task waits"`
        )
        assert.include(line, ": file ./data/plane-sync.sqlite, ")
        const published = yield* run(["publish", "completed", item.key], { cwd, settings: { ORCH_PORT: port } })
        assert.strictEqual(published.code, 0)
        yield* Effect.repeat(Effect.zipRight(Effect.sleep("20 millis"), plane.workItem(item.id)), {
          until: ({ comments, state }) => comments === 1 && state.name === "Done"
        })
      }).pipe(withPlane), 180_000)

    it.scoped("says at once what is wrong, and asks again: three times in all", () =>
      Effect.gen(function*() {
        const plane = yield* PlaneSimulator
        const cwd = yield* folder
        const wrong = "plane_api_simulator_revoked_0f6a3e9d8b17"
        const { raw, shown, status } = yield* asked(cwd, [
          ["or that of any of its pages", `nonsense${enter}`],
          ["is not a URL", "\u007f".repeat(8) + `${plane.url}${enter}`],
          ["Workspace", `elsewhere${enter}`],
          ["API token", `${wrong}${enter}`],
          ["does not take the API token.*API token", `${plane.token}${enter}`],
          ["there is no workspace elsewhere.*Workspace", `nowhere${enter}`],
          ["Enter: the same", enter]
        ])
        assert.strictEqual(status, 1, shown)
        assert.match(shown, /plane-sync: there is no workspace nowhere, or the API token's user is not in it/)
        assert.notInclude(raw, wrong)
        assert.notInclude(raw, plane.token)
        assert.strictEqual((yield* plane.requests).length, 3)
        assert.deepStrictEqual(yield* names(cwd), [])
      }).pipe(withPlane), 180_000)

    it.scoped("writes nothing when a person stops it, wherever that is", () =>
      Effect.gen(function*() {
        const plane = yield* PlaneSimulator
        const steps: ReadonlyArray<Step> = [
          ["or that of any of its pages", `${plane.url}/ag_proj/${enter}`],
          ["API token", `${plane.token}${enter}`],
          ["Which projects", enter],
          ["→ Done \\(completed\\).*Y/n", `y${enter}`],
          ["→ Fertig \\(completed\\).*Y/n", `y${enter}`],
          ["The secret that Plane shows", enter]
        ]
        for (const count of [1, 2, 4, 6]) {
          const cwd = yield* folder
          const answered = steps.slice(0, count)
          // After the second Plane is being asked.
          const next = count === 2 ? "" : steps[count]?.[0] ?? "Make a secret for Gitea"
          const { raw, shown, status } = yield* asked(cwd, [...answered, [next, `typed too early${interrupt}`]])
          assert.strictEqual(status, 1, shown)
          assert.include(shown, "plane-sync: stopped: nothing was written")
          if (count === 2) assert.notInclude(raw, "typed too early")
          assert.deepStrictEqual(yield* names(cwd), [])
        }
      }).pipe(Effect.provide(PlaneSimulator.layer({ furtherProjects: [further], latency: 200 }))), 180_000)

    it.scoped("replaces nothing without a person's word, and keeps the other lines of .env", () =>
      Effect.gen(function*() {
        const plane = yield* PlaneSimulator
        const cwd = yield* folder
        const before = [
          "# mine",
          "ORCH_PLANE_API_URL=http://localhost:1",
          "MY_OWN='a $b # c'",
          "ORCH_PLANE_PROJECT_IDENTIFIER=XY",
          "#ORCH_CONFIG=",
          "ORCH_PORT=8600"
        ].join("\n")
        yield* write(`${cwd}/.env`, before)
        yield* write(`${cwd}/plane-sync.json`, "{}")
        const settings = { ORCH_PLANE_API_TOKEN: plane.token }
        const args = ["--url", `${plane.url}/ag_proj/`, "--project", "et"]
        for (const answers of [[["Replace it", `n${enter}`]], [["Replace it", `y${enter}`], ["stays", `n${enter}`]]]) {
          const steps = answers.map(([shown = "", typed = ""]): Step => [shown, typed])
          const { shown, status } = yield* asked(cwd, steps, { args, settings })
          assert.strictEqual(status, 1, shown)
          assert.include(shown, "stopped: nothing was written")
        }
        assert.deepStrictEqual([yield* read(`${cwd}/.env`), yield* read(`${cwd}/plane-sync.json`)], [before, "{}"])
        assert.deepStrictEqual(yield* plane.requests, [])

        const { shown, status } = yield* asked(cwd, [
          ["Replace it", `y${enter}`],
          ["stays", `y${enter}`],
          ["Are these the states", `y${enter}`],
          ["The secret that Plane shows", enter],
          ["Make a secret for Gitea", enter]
        ], { args, settings })
        assert.strictEqual(status, 0, shown)
        assert.strictEqual(
          yield* read(`${cwd}/.env`),
          [
            "# mine",
            `ORCH_PLANE_API_URL=${plane.url}`,
            "MY_OWN='a $b # c'",
            "#ORCH_PLANE_PROJECT_IDENTIFIER=XY",
            "ORCH_CONFIG=plane-sync.json",
            "ORCH_PORT=8600",
            `ORCH_PLANE_API_TOKEN=${plane.token}`,
            "ORCH_PLANE_WORKSPACE_SLUG=ag_proj",
            ""
          ].join("\n")
        )
        assert.strictEqual(yield* modeOf(`${cwd}/.env`), secretFile)
      }).pipe(withPlane), 180_000)

    it.scoped("asks nothing without a terminal: it says what is missing, and takes what it is given", () =>
      Effect.gen(function*() {
        const plane = yield* PlaneSimulator
        const cwd = yield* folder
        const nothing = yield* run(["init"], { cwd })
        assert.strictEqual(nothing.code, 2)
        assert.match(
          nothing.err,
          /--url or ORCH_PLANE_API_URL, and --workspace or \S+, and --token-stdin or ORCH_PLANE_API_TOKEN/
        )
        // No option takes it: everybody on the machine can read those.
        assert.strictEqual((yield* run(["init", "--token", plane.token], { cwd })).code, 2)
        const settings = { ORCH_PLANE_API_TOKEN: plane.token }
        const args = ["init", "--url", `${plane.url}/ag_proj/`]
        const wrong = yield* run([...args, "--project", "XX"], { cwd, settings })
        assert.strictEqual(wrong.code, 2)
        assert.include(wrong.err, "--project XX: the workspace has no such project, it has ET, WEB")
        const broken = yield* run(args, { cwd, settings: { ORCH_PLANE_API_TOKEN: `"${plane.token} x"` } })
        assert.strictEqual(broken.code, 1)
        assert.include(broken.err, "the API token of ORCH_PLANE_API_TOKEN: it has blanks in it")
        assert.notInclude(broken.err, plane.token)
        assert.deepStrictEqual(yield* names(cwd), [])

        const first = yield* run(args, { cwd, settings })
        assert.strictEqual(first.code, 0, first.err)
        assert.notInclude(first.out + first.err, plane.token)
        assert.include(yield* read(`${cwd}/.env`), `\nORCH_PLANE_API_TOKEN=${plane.token}\n`)
        const again = yield* run(args, { cwd, settings })
        assert.strictEqual(again.code, 2)
        assert.match(again.err, /plane-sync.json is there: --force replaces it/)
        yield* Effect.promise(() =>
          chmod(`${cwd}/.env`, 0o644)
        )
        yield* Effect.promise(() =>
          mkdir(`${cwd}/kept`)
        )
        const forced = yield* run([...args, "--force", "--project", "WEB", "--token-stdin"], {
          cwd,
          settings: {
            ORCH_PLANE_API_TOKEN: "plane_api_of_another",
            ORCH_PLANE_PROJECT_ID: "7a79f0a9-5278-49cd-9007-9a338f238f9c"
          },
          input: plane.token
        })
        assert.strictEqual(forced.code, 0, forced.err)
        // What stands on standard input wins over the variable.
        assert.include(forced.err, "ORCH_PLANE_API_TOKEN has another value in the environment, which wins over .env")
        assert.notInclude(forced.err, "plane_api_of_another")
        assert.include(forced.err, "ORCH_PLANE_PROJECT_ID is set in the environment, but plane-sync.json names")
        assert.strictEqual(yield* modeOf(`${cwd}/.env`), secretFile)
        assert.deepStrictEqual(
          Object.keys((JSON.parse(yield* read(`${cwd}/plane-sync.json`)) as { projects: object }).projects),
          ["WEB"]
        )
      }).pipe(withPlane), 180_000)

    it.scoped("sends at most 8 requests, however many projects there are", () =>
      Effect.gen(function*() {
        const plane = yield* PlaneSimulator
        const cwd = yield* folder
        const args = ["init", "--url", `${plane.url}/ag_proj/`, "--token-stdin"]
        const { code, err, out } = yield* run(args, { cwd, input: `"${plane.token}"\n` })
        assert.strictEqual(code, 0)
        assert.notInclude(out + err, plane.token)
        assert.include(yield* read(`${cwd}/.env`), `\nORCH_PLANE_API_TOKEN=${plane.token}\n`)
        assert.strictEqual((yield* plane.requests).length, 8)
        const said = out.replace(/\s+/g, " ")
        assert.include(said, "✔ stages of P6: ")
        assert.include(said, "- stages of P7: Plane is not asked, because init has sent as many requests as it may: ")
        assert.include(said, "0 failed, ")
        const { projects } = JSON.parse(yield* read(`${cwd}/plane-sync.json`)) as {
          readonly projects: Readonly<Record<string, { readonly stages: Readonly<Record<string, unknown>> }>>
        }
        assert.strictEqual(Object.keys(projects).length, 13)
        assert.strictEqual(projects["P6"]?.stages["analysis"], "In Arbeit")
        assert.deepStrictEqual(projects["P7"]?.stages["analysis"], { group: "started" })
      }).pipe(Effect.provide(PlaneSimulator.layer({ furtherProjects: many }))), 180_000)

    it.scoped("replaces what a link leads to, and leaves nothing behind when it cannot write", () =>
      Effect.gen(function*() {
        const plane = yield* PlaneSimulator
        const cwd = yield* folder
        const elsewhere = yield* folder
        yield* write(`${elsewhere}/secrets`, "A=1\n")
        yield* Effect.promise(() =>
          symlink(`${elsewhere}/secrets`, `${cwd}/.env`)
        )
        const settings = { ORCH_PLANE_API_TOKEN: plane.token }
        const args = ["init", "--force", "--url", `${plane.url}/ag_proj/`]
        assert.strictEqual((yield* run(args, { cwd, settings })).code, 0)
        assert.match(yield* read(`${elsewhere}/secrets`), /^A=1\nORCH_PLANE_API_URL=/)

        const other = yield* folder
        yield* Effect.promise(() =>
          mkdir(`${other}/plane-sync.json`)
        )
        const failed = yield* run(args, { cwd: other, settings })
        assert.strictEqual(failed.code, 1)
        assert.match(failed.err, /^plane-sync: plane-sync\.json cannot be written/m)
        assert.deepStrictEqual(yield* names(other), ["plane-sync.json"])
      }).pipe(withPlane), 180_000)
  })
)
