import { assert, describe, it } from "@effect/vitest"
import type { ConfigError } from "effect"
import { ConfigProvider, Duration, Effect, Redacted } from "effect"
import { readFileSync, writeFileSync } from "node:fs"
import { projectsConfig } from "../../src/config/ProjectsConfig.js"
import { textOf } from "../../src/domain/CommentTexts.js"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { folder } from "../http/Server.js"

const read = (text: string, settings: Readonly<Record<string, string>> = {}) =>
  Effect.scoped(Effect.gen(function*() {
    const file = `${yield* folder}/plane-sync.json`
    writeFileSync(file, text)
    const variables = new Map(Object.entries({ ORCH_CONFIG: file, ...settings }))
    return yield* projectsConfig.pipe(
      Effect.withConfigProvider(ConfigProvider.fromMap(variables)),
      Effect.mapError((error) => linesOf(error).map((line) => line.replaceAll(file, "FILE")))
    )
  }))

const linesOf = (error: ConfigError.ConfigError): ReadonlyArray<string> =>
  error._op === "And"
    ? [...linesOf(error.left), ...linesOf(error.right)]
    : error._op === "Or"
    ? linesOf(error.left)
    : [`${error.path.join("_")}: ${error.message}`]

const project = (text: object, settings?: Readonly<Record<string, string>>) =>
  Effect.flip(read(JSON.stringify({ projects: { ET: text } }), settings))

const projects = (all: object, settings?: Readonly<Record<string, string>>) =>
  Effect.flip(read(JSON.stringify({ projects: all }), settings))

const forge = (change: object = {}) => ({ gitea: { url: "https://git.example.org", token: "GIT_TOKEN", ...change } })
const secrets = { GIT_TOKEN: "t1", OTHER_TOKEN: "t2", GIT_SECRET: "s1", OTHER_SECRET: "s2", SAME_SECRET: "s1" }

describe("plane-sync.json", () => {
  it.effect("the example of docs/projects.md is right, and says what its words say", () =>
    Effect.gen(function*() {
      const page = readFileSync(new URL("../../docs/projects.md", import.meta.url), "utf8")
      const [, example = ""] = /```json\n([^]*?)```/.exec(page) ?? []
      const { all, ofKey } = yield* read(example, {
        ACME_PLANE_TOKEN: "a",
        ACME_PLANE_WEBHOOK_SECRET: "b",
        ACME_GITEA_TOKEN: "c",
        ACME_GITEA_WEBHOOK_SECRET: "d"
      })
      assert.deepStrictEqual(all.map(({ identifier }) => identifier), ["ET", "APP"])
      const app = ofKey("app-7")
      assert.deepStrictEqual(
        app?.stages,
        new Map([
          ["draft", { name: "Backlog" }],
          ["write", { name: "In Progress" }],
          ["live", { name: "Done" }]
        ])
      )
      const event = StageEvent.StageChanged({ workItem: "APP-7", from: "draft", to: "write", agent: "writer" })
      assert.strictEqual(app && textOf(app.texts, event), "APP-7 is at write now, writer works on it")
    }))

  it.effect("what starts a task is that of the project, or else of the variables, which say it only where no file does", () =>
    Effect.gen(function*() {
      const start = (text: object, settings: Readonly<Record<string, string>> = {}) =>
        Effect.map(read(JSON.stringify({ projects: { ET: text } }), settings), ({ all: [{ start }] }) => start)
      assert.deepStrictEqual(yield* start({}), { label: undefined, assignee: undefined })
      assert.deepStrictEqual(
        yield* start({ start: { label: "Agent: go", assignee: "Bot@Example.org" } }),
        { label: "Agent: go", assignee: "bot@example.org" }
      )
      assert.deepStrictEqual(
        yield* start({ start: { label: "agent" } }, { ORCH_START_ASSIGNEE: "8AC4E768-9b7a-4bf6-ab09-2daf070cb501" }),
        { label: "agent", assignee: "8ac4e768-9b7a-4bf6-ab09-2daf070cb501" }
      )
      assert.deepStrictEqual(
        yield* project({ start: { label: "agent" } }, { ORCH_START_LABEL: "other" }),
        ["ORCH_START_LABEL: FILE says projects.ET.start.label, too: expected it in one place"]
      )
      assert.deepStrictEqual(yield* project({}, { ORCH_START_ASSIGNEE: "lea" }), [
        `ORCH_START_ASSIGNEE: "lea" is not right: expected a user's e-mail address or id, like "agent@example.org"`
      ])
      assert.deepStrictEqual(yield* project({ start: { label: " agent", assignee: "@lea" } }), [
        `FILE: projects.ET.start.label: expected a label's name, like "agent", without blanks at its ends`,
        `FILE: projects.ET.start.assignee: expected a user's e-mail address or id, like "agent@example.org"`
      ])
    }))

  for (
    const { expected, name, wrong } of [
      {
        name: "an unknown value in a text",
        wrong: project({ texts: { taskCompleted: "Done by {agent}" } }),
        expected: ["FILE: projects.ET.texts.taskCompleted: {agent} is no value of it: expected one of {workItem}"]
      },
      {
        name: "braces that are not balanced, and a value that may be missing",
        wrong: project({ texts: { gateFailed: "No: {check", stageChanged: "By {agent}" } }),
        expected: [
          "FILE: projects.ET.texts.stageChanged: {agent} may be missing: expected it in brackets with its words, like " +
          "\"[ ({agent})]\"",
          "FILE: projects.ET.texts.gateFailed: its braces are not balanced: expected a value within { and }, or {{ for " +
          "a brace"
        ]
      },
      {
        name: "a pipeline of one stage",
        wrong: project({ pipeline: [{ stage: "a" }] }),
        expected: [
          "FILE: projects.ET.pipeline: it has fewer than two stages, so nothing could ever be done: expected at least two"
        ]
      },
      {
        name: "a stage twice",
        wrong: project({ pipeline: [{ stage: "a" }, { stage: "b" }, { stage: "a" }] }),
        expected: ["FILE: projects.ET.pipeline: the stage \"a\" is there twice: expected it once"]
      },
      {
        name: "a state of no stage, and one that is there twice",
        wrong: project({ pipeline: [{ stage: "a", state: "Todo" }, { stage: "b" }], stages: { a: "Done", c: "Done" } }),
        expected: [
          "FILE: projects.ET.stages.a: its state is in the pipeline, too: expected it in one place",
          "FILE: projects.ET.stages.c: the pipeline has no such stage: expected one of a, b"
        ]
      },
      {
        name: "a variable that is not set",
        wrong: project({ webhookSecret: "NO_SUCH" }),
        expected: [
          "FILE: projects.ET.webhookSecret: it names the variable NO_SUCH, which is not set: expected one that is"
        ]
      },
      {
        name: "a variable that holds no token",
        wrong: project({ apiToken: "TWO_LINES" }, { TWO_LINES: "one\ntwo" }),
        expected: [
          "FILE: projects.ET.apiToken: the variable TWO_LINES, which it names, is wrong: it has blanks or characters other " +
          "than visible ASCII: expected the token as Plane shows it"
        ]
      },
      {
        name: "a schema that is no text",
        wrong: Effect.flip(read(JSON.stringify({ $schema: 1, projects: { ET: {} } }))),
        expected: ["FILE: $schema: Expected string, actual 1"]
      },
      {
        name: "an identifier that is none",
        wrong: projects({ "et-1": {} }),
        expected: [
          "FILE: projects.et-1: expected an identifier as Plane shows it: 1 to 12 capital letters or digits, like \"ET\""
        ]
      },
      {
        name: "a project twice",
        wrong: Effect.flip(read(`{"projects":{"ET":{"id":"7a79f0a9-5278-49cd-9007-9a338f238f9c"},"ET":{}}}`)),
        expected: ["FILE: projects.ET: it is there twice: expected it once"]
      },
      {
        name: "no project",
        wrong: projects({}),
        expected: ["FILE: projects: it names no project: expected at least one, like \"ET\""]
      },
      {
        name: "a Gitea that can neither be asked nor heard",
        wrong: project({ gitea: { url: "https://git.example.org" } }),
        expected: ["FILE: projects.ET.gitea: it has neither a token nor a webhookSecret: expected one of them, or both"]
      },
      {
        name: "the Gitea of all projects",
        wrong: project(forge(), { ...secrets, ORCH_GITEA_URL: "https://git.example.org", ORCH_GITEA_TOKEN: "t" }),
        expected: ["FILE: projects.ET.gitea.url: it is that of ORCH_GITEA_URL: expected another one, or no gitea here"]
      },
      {
        name: "one Gitea with two tokens and two secrets",
        wrong: projects({
          A: forge({ webhookSecret: "GIT_SECRET" }),
          B: forge({ token: "OTHER_TOKEN", webhookSecret: "OTHER_SECRET" })
        }, secrets),
        expected: ["token", "webhookSecret"].map((field) =>
          `FILE: projects.B.gitea.${field}: it is not that of projects.A.gitea, which is the same Gitea: expected the ` +
          "same variable"
        )
      },
      {
        name: "two Giteas with one secret",
        wrong: projects({
          A: forge({ webhookSecret: "GIT_SECRET" }),
          B: forge({ url: "https://other.example.org", webhookSecret: "SAME_SECRET" })
        }, secrets),
        expected: [
          "FILE: projects.B.gitea.webhookSecret: SAME_SECRET is the same secret as GIT_SECRET, of another Gitea: expected " +
          "one that tells them apart"
        ]
      },
      {
        name: "the secret of the Gitea of all projects",
        wrong: project(forge({ webhookSecret: "GIT_SECRET" }), { ...secrets, ORCH_GITEA_WEBHOOK_SECRET: "s1" }),
        expected: [
          "FILE: projects.ET.gitea.webhookSecret: GIT_SECRET is the same secret as ORCH_GITEA_WEBHOOK_SECRET, of another " +
          "Gitea: expected one that tells them apart"
        ]
      }
    ]
  ) {
    it.effect(`is refused for ${name}: file, field, and what would be right`, () =>
      Effect.map(wrong, (lines) => assert.deepStrictEqual(lines, expected)))
  }

  it.effect("a schema may be named, wherever it is", () =>
    Effect.map(
      read(JSON.stringify({ $schema: "https://example.org/any.json", projects: { ET: {} } })),
      ({ all }) => assert.lengthOf(all, 1)
    ))

  it.effect("the value of a variable is read as that of a setting: one key is one budget", () =>
    Effect.map(
      read(JSON.stringify({ projects: { ET: { apiToken: "ONE" }, APP: { apiToken: "OTHER" } } }), {
        ONE: "t",
        OTHER: " t\n"
      }),
      ({ all }) =>
        assert.deepStrictEqual(
          all.map(({ own }) => own.apiToken && Redacted.value(own.apiToken)),
          ["t", "t"]
        )
    ))

  it.effect("an identifier may have letters that are neither capital nor small", () =>
    Effect.map(
      read(JSON.stringify({ projects: { "山道": {} } })),
      ({ ofKey }) => assert.isDefined(ofKey("山道-7"))
    ))

  it.effect("states are said to be where they are", () =>
    Effect.map(
      read(JSON.stringify({
        projects: {
          ET: { stages: { done: "Done" } },
          APP: { pipeline: [{ stage: "a", state: "Todo" }, { stage: "b" }] },
          NEW: { pipeline: [{ stage: "a" }, { stage: "b" }] }
        }
      })),
      ({ all }) =>
        assert.deepStrictEqual(
          all.map(({ names }) => names.states.replace(/ in .*/, "")),
          ["projects.ET.stages", "projects.APP.pipeline", "projects.NEW.stages"]
        )
    ))

  it.effect("say who is asked, or else the variable does; and how long a stage may take", () =>
    Effect.map(
      read(
        JSON.stringify({
          projects: {
            A: {
              attention: ["Jo@example.org"],
              pipeline: [{ stage: "a", patience: "2 hours" }, { stage: "b" }]
            },
            B: {}
          }
        }),
        { ORCH_ATTENTION: "Lea@example.org, 1f2e681e-5315-40e4-899e-84a45c093a9b" }
      ),
      ({ all }) => {
        assert.deepStrictEqual(all.map(({ attention }) => attention), [
          ["jo@example.org"],
          ["lea@example.org", "1f2e681e-5315-40e4-899e-84a45c093a9b"]
        ])
        const stages = all[0].pipeline ?? []
        assert.deepStrictEqual(
          stages.map(({ patience }) => patience === undefined ? 0 : Duration.toHours(patience)),
          [2, 0]
        )
      }
    ))

  it.effect("two projects may share a Gitea", () =>
    Effect.map(
      read(JSON.stringify({ projects: { A: forge(), B: forge() } }), secrets),
      ({ all }) => assert.deepStrictEqual(all.map(({ gitea }) => gitea?.url), Array(2).fill("https://git.example.org"))
    ))
})
