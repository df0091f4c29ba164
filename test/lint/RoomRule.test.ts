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
  storage: "base",
  plane: "base domain",
  outbox: "base domain storage",
  events: "base domain storage outbox",
  sending: "base domain storage outbox events plane",
  tasks: "base domain storage outbox events",
  launching: "base domain storage outbox events tasks",
  gitea: "base domain storage outbox events tasks",
  webhooks: "base domain storage outbox events tasks gitea plane sending",
  repair: "base domain storage outbox events tasks gitea plane sending webhooks",
  config: "base domain storage outbox events tasks gitea plane webhooks launching",
  views: "base domain storage outbox events tasks gitea plane sending webhooks",
  health: "base domain storage outbox events tasks gitea plane sending webhooks repair views",
  doctor: "base domain storage outbox events tasks gitea plane sending webhooks repair views health config launching",
  http: "base domain storage outbox events tasks gitea plane sending webhooks repair views health config launching",
  cli:
    "base domain storage outbox events tasks gitea plane sending webhooks repair views health config launching doctor",
  simulator: ""
}
const rooms = Object.keys(map)

/** Who owns which tables, written a second time. The migrator creates `migrations` by itself. */
const created: Readonly<Record<string, string>> = {
  outbox: "lane event delivery sender replica count folded project",
  tasks: "task verdict report launch task_story",
  gitea: "repository pull_request claim commit_status review",
  webhooks: "webhook webhook_body webhook_about",
  repair: "watermark hearing"
}
const owned: Readonly<Record<string, string>> = { ...created, storage: "migrations" }

const src = fileURLToPath(new URL("../../src/", import.meta.url))

/** What the rules on imports and SQL say of a line of code in a room, or below it. */
const said = async (room: string, code: string) => {
  const [result] = await eslint.lintText(`${code}\n`, { filePath: `src/${room}/Written.ts` })
  const messages = result?.messages ?? []
  assert.isFalse(messages.some(({ fatal }) => fatal), messages[0]?.message)
  return messages
    .filter(({ ruleId }) => ruleId === "no-restricted-imports" || ruleId === "no-restricted-syntax")
    .map(({ message }) => message)
}

describe("the lint rule on rooms", () => {
  it("knows all rooms of src", async () => {
    const names = await readdir(src)
    assert.sameMembers(names.filter((name) => !name.endsWith(".ts")), rooms)
  })

  for (const room of rooms) {
    it(`${room} imports ${map[room] === "" ? "no other room" : map[room]}`, async () => {
      for (const name of rooms) {
        const isAllowed = name === room || map[room]?.split(" ").includes(name) === true
        for (
          const code of [
            `import { a } from "../${name}/A.js"`,
            `export * from "../../src/${name}/A.js"`,
            `import type { A } from "./../${name}/deeper/A.js"`,
            `import { a } from "../domain/../${name}/A.js"`,
            `export const a = () => import("../${name}/A.js")`
          ]
        ) {
          const messages = await said(room, code)
          // A way that leads through a room is one into it.
          const isThroughDomain = code.includes("domain/../") && room !== "domain" && !map[room]?.includes("domain")
          const expected = isAllowed && !isThroughDomain ? 0 : 1
          assert.strictEqual(messages.length, expected, `${room}: ${code}\n${messages.join("\n")}`)
        }
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
    for (const [owner, tables] of Object.entries(owned)) {
      for (const table of tables.split(" ")) {
        for (const room of [...Object.keys(owned), "sending"]) {
          for (const text of ["export const a = `SELECT 1 FROM TABLE t`", `export const a = "DELETE FROM TABLE"`]) {
            const messages = await said(room, text.replace("TABLE", `plane_sync_${table}`))
            assert.lengthOf(messages, room === owner ? 0 : 1, `${room}: ${table}`)
          }
        }
      }
    }
  })

  it("a table that has no owner, or no whole name, stands nowhere", async () => {
    for (const room of rooms) {
      assert.lengthOf(await said(room, `export const a = "SELECT 1 FROM plane_sync_nobodys"`), 1, room)
      assert.lengthOf(await said(room, "export const a = (name: string) => `DELETE FROM plane_sync_${name}`"), 1, room)
    }
  })

  it("rooms that own no table write no SQL", async () => {
    const declared = "declare const client: any\nexport const a = "
    for (const room of rooms) {
      for (const code of ["client`SELECT 1`", "client.sql`SELECT 1`", `client.unsafe("SELECT 1")`]) {
        assert.lengthOf(await said(room, `${declared}${code}`), room in owned ? 0 : 1, `${room}: ${code}`)
      }
    }
  })
})
