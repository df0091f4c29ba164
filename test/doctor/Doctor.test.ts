import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { enduroTrails, PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { commandLine } from "../cli/CommandLine.js"
import { fakeGitea } from "../gitea/FakeGitea.js"
import { folder, withPlane } from "../http/Server.js"
import { examine, examineHere, says, settingsHere } from "./Examined.js"

const second = {
  ...enduroTrails,
  id: "11111111-2222-4333-8444-555555555555",
  identifier: "OPS",
  name: "Operations",
  states: enduroTrails.states.map((state) => ({ ...state, id: state.id.replace(/^./, "f") }))
}

const projectsFile = (projects: Readonly<Record<string, unknown>>) =>
  Effect.map(folder, (cwd) => {
    const file = `${cwd}/plane-sync.json`
    writeFileSync(file, JSON.stringify({ projects }))
    return file
  })

describe("plane-sync doctor", () => {
  it.live("says what is well, and changes nothing", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const settings = yield* settingsHere
      const well = yield* examine(settings)
      assert.deepStrictEqual(well.trouble, [])
      assert.deepStrictEqual([well.code, well.err, well.report.result], [0, "", "passed"])
      assert.deepStrictEqual(well.report.checks.map(({ name }) => name), [
        "settings",
        "driver",
        "database",
        "free space",
        "integrity",
        "who sends",
        "Plane's address",
        "API token",
        "project ET",
        "stages of ET",
        "rate limit",
        "clock",
        "Plane's version",
        "Plane's webhooks",
        "Gitea",
        "Gitea's webhooks",
        "agents",
        "notices"
      ])
      says(well, "database", "passed", "is not there yet")
      says(well, "project ET", "passed", "the API token's user is a member of it")
      says(well, "stages of ET", "passed", "created → Todo (unstarted); analysis, architecture, development")
      says(well, "Plane's version", "passed", /Plane 1\.3\.1 .*also tell of what plane-sync writes/)
      assert.isFalse(existsSync(settings.ORCH_DATABASE_URL))
      assert.deepStrictEqual(readdirSync(dirname(settings.ORCH_DATABASE_URL)), [])
      assert.isTrue((yield* plane.requests).every(({ method }) => method === "GET"))
    }).pipe(Effect.scoped, withPlane))

  it.live("sends no more than 12 requests for one project, with Gitea, by its name alone, and by --write", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const gitea = yield* fakeGitea
      yield* plane.addWorkItem({ name: "Trail map" })
      gitea.answers.set("/api/v1/user", { login: "bot" })
      const names = Array.from({ length: 5 }, (_, index) => `acme/w${index}`)
      for (const name of names) {
        gitea.answers.set(`/api/v1/repos/${name}`, { id: 1, full_name: name, default_branch: "main" })
      }
      const settings = {
        ...(yield* settingsHere),
        ORCH_PLANE_PROJECT_ID: "",
        ORCH_PLANE_PROJECT_IDENTIFIER: "",
        ORCH_CONFIG: yield* projectsFile({ ET: { repositories: names } }),
        ORCH_GITEA_URL: gitea.url,
        ORCH_GITEA_TOKEN: gitea.token
      }
      for (const args of [[], ["--write", "ET-001"], ["--write", "ET-1"]]) {
        yield* plane.forgetRequests
        gitea.asked.length = 0
        const { report } = yield* examine(settings, ...args)
        const sent = (yield* plane.requests).length + gitea.asked.length
        assert.strictEqual(report.requests, sent)
        assert.isAtMost(sent, 12)
        // Something is left over, and is said.
        assert.isTrue(
          report.checks.some(({ name, result, seen }) =>
            name === "Gitea" && result === "skipped" && seen.includes("as many requests as it may")
          )
        )
      }
    }).pipe(Effect.scoped, withPlane))

  it.live("sends three more for each further project, and says of which", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const file = yield* projectsFile({ ET: {}, OPS: { stages: { done: "Shipped" } } })
      const seen = yield* examineHere({
        ORCH_PLANE_PROJECT_ID: "",
        ORCH_PLANE_PROJECT_IDENTIFIER: "",
        ORCH_CONFIG: file
      })
      says(seen, "project OPS", "passed", "OPS of the workspace ag_proj may be written to")
      says(seen, "stages of OPS", "failed", `has no state "Shipped" (stage "done")`, /"Done" \(completed/)
      says(seen, "stages of ET", "passed", "done → Done (completed)")
      assert.strictEqual(seen.report.requests, (yield* plane.requests).length)
      assert.isAtMost(seen.report.requests, 15)
    }).pipe(Effect.scoped, Effect.provide(PlaneSimulator.layer({ furtherProjects: [second] }))))

  it.live("--write adds a comment, and deletes it again", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      const { id, key } = yield* plane.addWorkItem({ name: "Trail map" })
      const before = yield* plane.workItem(id)
      const seen = yield* examineHere({}, "--write", key)
      says(seen, "writing", "passed", `a comment was added to ${key}, and deleted again`)
      const writes = (yield* plane.requests).filter(({ method }) => method !== "GET")
      assert.deepStrictEqual(writes.map(({ method, status }) => [method, status]), [["POST", 201], ["DELETE", 204]])
      assert.deepStrictEqual(yield* plane.comments(id), [])
      assert.deepStrictEqual((yield* plane.workItem(id)).state, before.state)
      says(yield* examineHere({}, "--write", "ET-99"), "writing", "failed", "Plane has no work item ET-99")
      says(yield* examineHere({}, "--write", "XX-1"), "writing", "failed", "XX-1 is not a key of this project")
      assert.strictEqual((yield* plane.requests).filter(({ method }) => method !== "GET").length, 2)
      yield* plane.setRole("guest")
      says(yield* examineHere({}, "--write", key), "writing", "skipped", "the project ET may not be written to")
    }).pipe(Effect.scoped, withPlane))

  it.live("ends with 0, 1 or 2, and with --strict also with 1 for a warning", () =>
    Effect.gen(function*() {
      const warned = { ORCH_PLANE_WEBHOOK_SECRET: "plane_wh_1" }
      const mild = yield* examineHere(warned)
      assert.deepStrictEqual([mild.code, mild.err, mild.report.result], [0, "", "warned"])
      const strict = yield* examineHere(warned, "--strict")
      assert.deepStrictEqual([strict.code, strict.err], [1, "plane-sync: 1 check warned, and --strict was given"])
      const failed = yield* examineHere({ ORCH_PLANE_API_TOKEN: "" })
      assert.deepStrictEqual([failed.code, failed.report.result], [1, "failed"])
      assert.match(failed.err, /^plane-sync: 1 check failed$/)
      const cli = commandLine(yield* settingsHere)
      for (const wrong of [["--write", "nonsense"], ["--nope"], ["ET-1"]]) {
        assert.strictEqual((yield* cli("doctor", ...wrong)).code, 2, wrong.join(" "))
      }
    }).pipe(Effect.scoped, withPlane))

  it.live("is readable at 80 columns, and shows nothing that a terminal obeys", () =>
    Effect.gen(function*() {
      const plane = yield* PlaneSimulator
      yield* plane.changeState(plane.stateId("Done"), { name: "Done \u001b[31m red" })
      const settings = yield* settingsHere
      const { out } = yield* commandLine({ ...settings, ORCH_PLANE_WEBHOOK_SECRET: "plane_wh_1" })("doctor")
      const lines = out.split("\n")
      const [first = "", second = ""] = lines
      assert.match(first, /^✔ settings: ORCH_/)
      assert.match(second, /^ {2}\S/)
      const words = lines.filter((line) => line.length > 80)
      // Only what cannot be broken is longer.
      assert.deepStrictEqual(words.filter((line) => /\S \S/.test(line.slice(4))), [])
      assert.match(out, /\n! Plane's webhooks: (?:.|\n)+\n {2}→ switch it on at http:/)
      assert.include(out.replace(/\s+/g, " "), "Done \\u001b[31m red (completed)")
      assert.notInclude(out, "\u001b")
      assert.match(lines.at(-1) ?? "", /^11 passed, 1 warned, 0 failed, 6 skipped, by 6 requests$/)
    }).pipe(Effect.scoped, withPlane))
})

describe("the check of settings", () => {
  it.live("names all that are wrong at once, and where they are", () =>
    Effect.gen(function*() {
      const seen = yield* examineHere({ ORCH_PORT: "http", ORCH_PLANE_RATE_LIMIT: "many", ORCH_LOG_LEVEL: "loud" })
      for (const name of ["ORCH_PORT", "ORCH_PLANE_RATE_LIMIT", "ORCH_LOG_LEVEL"]) {
        says(seen, "settings", "failed", new RegExp(`^${name}: ".*expected`), `set ${name} right in the environment`)
      }
      for (const name of ["Plane's address", "Plane's webhooks", "Gitea", "Gitea's webhooks"]) {
        says(seen, name, "skipped", "a setting that it needs is wrong")
      }
      says(seen, "database", "passed", "is not there yet")
      assert.strictEqual(seen.code, 1)
    }).pipe(Effect.scoped, withPlane))

  it.live("names the place in plane-sync.json", () =>
    Effect.gen(function*() {
      const file = yield* projectsFile({ ET: { comments: "some", apiToken: "plane_api_secret" } })
      const seen = yield* examineHere({
        ORCH_CONFIG: file,
        ORCH_PLANE_PROJECT_ID: "",
        ORCH_PLANE_PROJECT_IDENTIFIER: ""
      })
      says(seen, "settings", "failed", `${file}: projects.ET.comments: `)
      says(seen, "settings", "failed", `${file}: projects.ET.apiToken: expected the name of a variable`)
      says(seen, "Plane's address", "skipped", "a setting that it needs is wrong")
    }).pipe(Effect.scoped, withPlane))

  it.live("names a gate of a pipeline that serve does not have", () =>
    Effect.gen(function*() {
      const file = yield* projectsFile({ ET: { pipeline: [{ stage: "write", gates: ["lint"] }, { stage: "live" }] } })
      const seen = yield* examineHere({
        ORCH_CONFIG: file,
        ORCH_PLANE_PROJECT_ID: "",
        ORCH_PLANE_PROJECT_IDENTIFIER: ""
      })
      says(
        seen,
        "settings",
        "warned",
        `Pipeline: of projects.ET in ${file}: the stage "write" has the gate "lint", which nobody provides: there are ` +
          "started, reported, human, ci, approval, merged. So serve does not start",
        "name one of these"
      )
    }).pipe(Effect.scoped, withPlane))

  it.live("finds secrets that still have their quotes or blanks, and does not show them", () =>
    Effect.gen(function*() {
      const { token } = yield* PlaneSimulator
      for (
        const [text, name] of [[`"${token}"`, "double"], [`'${token}'`, "single"], [`“${token}”`, "typed"]] as const
      ) {
        const seen = yield* examineHere({ ORCH_PLANE_API_TOKEN: text })
        says(seen, "settings", "failed", "ORCH_PLANE_API_TOKEN", /quotes|right/)
        assert.notInclude(JSON.stringify(seen.report) + seen.err, token, name)
      }
      const seen = yield* examineHere({
        ORCH_PLANE_WEBHOOK_SECRET: "\"hunter22\"",
        ORCH_GITEA_WEBHOOK_SECRET: "hunter23 ",
        OPS_TOKEN: "'hunter24'",
        ORCH_PLANE_PROJECT_ID: "",
        ORCH_PLANE_PROJECT_IDENTIFIER: "",
        ORCH_CONFIG: yield* projectsFile({ ET: { apiToken: "OPS_TOKEN" } })
      })
      says(seen, "settings", "failed", "ORCH_PLANE_WEBHOOK_SECRET still has its quotes", "without quotes")
      says(seen, "settings", "warned", "ORCH_GITEA_WEBHOOK_SECRET has blanks around its value")
      says(seen, "settings", "failed", /the variable that projects\.ET\.apiToken in .* names still has its quotes/)
      assert.notInclude(JSON.stringify(seen.report), "hunter2")
    }).pipe(Effect.scoped, withPlane))
})

describe("the check of agents", () => {
  it.live("looks whether the program is there, and who may write it", () =>
    Effect.gen(function*() {
      const here = yield* folder
      mkdirSync(`${here}/bin`)
      const program = `${here}/bin/run-agent`
      says(yield* examineHere({ ORCH_AGENT_COMMAND: program }), "agents", "failed", `there is no "${program}"`)
      writeFileSync(program, "#!/bin/sh\n", { mode: 0o600 })
      says(yield* examineHere({ ORCH_AGENT_COMMAND: program }), "agents", "failed", "cannot be executed", "chmod +x")
      chmodSync(program, 0o777)
      says(yield* examineHere({ ORCH_AGENT_COMMAND: program }), "agents", "failed", "others can write", "chmod go-w")
      chmodSync(program, 0o700)
      says(yield* examineHere({ ORCH_AGENT_COMMAND: program }), "agents", "passed", "is there")
      const webhook = { ORCH_AGENT_WEBHOOK: "https://agents.example.com/x" }
      says(yield* examineHere(webhook), "settings", "failed", "ORCH_AGENT_WEBHOOK_SECRET")
      says(
        yield* examineHere({ ...webhook, ORCH_AGENT_WEBHOOK_SECRET: "s" }),
        "agents",
        "passed",
        "https://agents.example.com/x"
      )
    }).pipe(Effect.scoped, withPlane))
})
