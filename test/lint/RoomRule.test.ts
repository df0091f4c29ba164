import { assert, describe, it } from "@effect/vitest"
import { ESLint } from "eslint"
import { readdir, readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import tseslint from "typescript-eslint"

// The project's own rules; those that need types would want the files to be there.
const eslint = new ESLint({
  cwd: fileURLToPath(new URL("../..", import.meta.url)),
  overrideConfig: { files: ["**/*.ts"], ...tseslint.configs.disableTypeChecked }
})

/** The map of docs/architecture.md, written a second time. */
const map: Readonly<Record<string, string>> = {
  base: "",
  domain: "base",
  metrics: "base",
  storage: "base metrics",
  plane: "base domain metrics",
  outbox: "base domain metrics storage",
  events: "base domain metrics storage outbox",
  sending: "base domain metrics storage outbox events plane",
  tasks: "base domain metrics storage outbox events",
  launching: "base domain metrics storage outbox events tasks",
  people: "base domain metrics storage outbox events tasks",
  gitea: "base domain metrics storage outbox events tasks",
  webhooks: "base domain metrics storage outbox events tasks gitea people plane sending",
  repair: "base domain metrics storage outbox events tasks gitea people plane sending webhooks",
  config: "base domain metrics storage outbox events tasks gitea people plane webhooks launching",
  views: "base domain metrics storage outbox events tasks gitea people plane sending webhooks",
  health: "base domain metrics storage outbox events tasks gitea people plane sending webhooks repair views",
  overview: "base domain metrics storage outbox events tasks gitea people plane sending webhooks repair views health",
  doctor:
    "base domain metrics storage outbox events tasks gitea people plane sending webhooks repair views health config launching",
  http:
    "base domain metrics storage outbox events tasks gitea people plane sending webhooks repair views health overview config launching",
  cli:
    "base domain metrics storage outbox events tasks gitea people plane sending webhooks repair views health config launching doctor",
  simulator: ""
}
const rooms = Object.keys(map)

/** Who owns which tables, written a second time. The migrator creates `migrations` by itself. */
const created: Readonly<Record<string, string>> = {
  outbox: "lane event delivery sender replica count count_of folded project link usage assignee",
  tasks: "task verdict report launch task_story task_stage task_usage counted_report task_mark decision answer",
  gitea: "repository pull_request claim commit_status review",
  webhooks: "webhook webhook_body webhook_about",
  people: "wait notice command",
  repair: "watermark hearing unread"
}
const owned: Readonly<Record<string, string>> = { ...created, storage: "migrations" }

const src = fileURLToPath(new URL("../../src/", import.meta.url))

/**
 * What the rules on imports and SQL say of each of these lines of code in a room, or below it. All are in one file,
 * because a file takes as long as a hundred lines.
 */
const saidOfEach = async (room: string, lines: ReadonlyArray<string>) => {
  const [result] = await eslint.lintText(`${lines.join("\n")}\n`, { filePath: `src/${room}/Written.ts` })
  const messages = result?.messages ?? []
  assert.isFalse(messages.some(({ fatal }) => fatal), messages[0]?.message)
  const ours = messages.filter(({ ruleId }) => ruleId === "no-restricted-imports" || ruleId === "no-restricted-syntax")
  const each = lines.map((code, index) => ({
    code,
    messages: ours.filter(({ line }) => line === index + 1).map(({ message }) => message)
  }))
  assert.lengthOf(each.flatMap(({ messages }) => messages), ours.length)
  return each
}

const said = async (room: string, code: string) => {
  assert.notInclude(code, "\n")
  const [only] = await saidOfEach(room, [code])
  return only?.messages ?? []
}

describe("the lint rule on rooms", () => {
  it("knows all rooms of src", async () => {
    const names = await readdir(src)
    assert.sameMembers(names.filter((name) => !name.endsWith(".ts")), rooms)
  })

  for (const room of rooms) {
    it(`${room} imports ${map[room] === "" ? "no other room" : map[room]}`, async () => {
      const ways = rooms.flatMap((name) =>
        [
          `import { a as ${name}1 } from "../${name}/A.js"`,
          `export * from "../../src/${name}/A.js"`,
          `import type { A as ${name}2 } from "./../${name}/deeper/A.js"`,
          `import { a as ${name}3 } from "../domain/../${name}/A.js"`,
          `export const ${name}4 = () => import("../${name}/A.js")`
        ].map((code) => ({ name, code }))
      )
      const each = await saidOfEach(room, ways.map(({ code }) => code))
      for (const [index, { code, name }] of ways.entries()) {
        const messages = each[index]?.messages ?? []
        const isAllowed = name === room || map[room]?.split(" ").includes(name) === true
        // A way that leads through a room is one into it.
        const isThroughDomain = code.includes("domain/../") && room !== "domain" && !map[room]?.includes("domain")
        const expected = isAllowed && !isThroughDomain ? 0 : 1
        assert.strictEqual(messages.length, expected, `${room}: ${code}\n${messages.join("\n")}`)
      }
    })
  }

  it("nobody below imports index or main, the package itself, a barrel, or what has no name yet", async () => {
    for (
      const code of [
        `import { a } from "../index.js"`,
        `export const a = () => import("../main.js")`,
        `import { a } from "../../src/index.js"`,
        `import { a } from "plane-sync"`,
        `import { HttpClient } from "@effect/platform"`,
        `export const a = () => import("@effect/platform")`,
        `export const a = (name: string) => import(name)`
      ]
    ) {
      for (const room of ["domain", "storage/sqlite", "cli", "simulator"]) {
        assert.lengthOf(await said(room, code.replace("../", room.includes("/") ? "../../" : "../")), 1, code)
      }
    }
  })

  it("each table that is created has an owner, which creates it", async () => {
    for (const room of rooms) {
      const files = (await readdir(`${src}${room}`, { recursive: true })).filter((name) => name.endsWith(".ts"))
      const texts = await Promise.all(files.map((name) => readFile(`${src}${room}/${name}`, "utf8")))
      const tables = texts.join().matchAll(/CREATE TABLE (?:IF NOT EXISTS )?plane_sync_(\w+)/g)
      // A later step may create a table anew.
      const names = new Set(Array.from(tables, ([, table = ""]) => table))
      assert.sameMembers(Array.from(names), created[room]?.split(" ") ?? [], room)
    }
  })

  it("the SQL of a table stands in the room that owns it, and nowhere else", async () => {
    const texts = Object.entries(owned).flatMap(([owner, tables]) =>
      tables.split(" ").flatMap((table) =>
        [
          `export const ${table}1 = \`SELECT 1 FROM plane_sync_${table} t\``,
          `export const ${table}2 = "DELETE FROM plane_sync_${table}"`
        ].map((code) => ({ owner, code }))
      )
    )
    for (const room of [...Object.keys(owned), "sending"]) {
      const each = await saidOfEach(room, texts.map(({ code }) => code))
      for (const [index, { code, owner }] of texts.entries()) {
        assert.lengthOf(each[index]?.messages ?? [], room === owner ? 0 : 1, `${room}: ${code}`)
      }
    }
  })

  it("a table that has no owner, or no whole name, stands nowhere", async () => {
    for (const room of rooms) {
      assert.lengthOf(await said(room, `export const a = "SELECT 1 FROM plane_sync_nobodys"`), 1, room)
      assert.lengthOf(await said(room, "export const a = (name: string) => `DELETE FROM plane_sync_${name}`"), 1, room)
    }
  })

  it("a metric may have a name like a table's, and no SQL around it", async () => {
    assert.lengthOf(await said("metrics", `export const a = "plane_sync_event_total"`), 0)
    assert.lengthOf(await said("metrics", `export const a = "DELETE FROM plane_sync_event"`), 1)
    assert.lengthOf(await said("sending", `export const a = "plane_sync_event_total"`), 1)
  })

  it("rooms that own no table write no SQL", async () => {
    const statements = ["client`SELECT 1`", "client.sql`SELECT 1`", `client.unsafe("SELECT 1")`]
    const lines = statements.map((code, index) => `export const a${index} = ${code}`)
    for (const room of rooms) {
      const [declared, ...each] = await saidOfEach(room, ["declare const client: any", ...lines])
      assert.lengthOf(declared?.messages ?? [], 0)
      for (const { code, messages } of each) {
        assert.lengthOf(messages, room in owned ? 0 : 1, `${room}: ${code}`)
      }
    }
  })
})
