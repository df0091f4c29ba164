import { assert, describe, it } from "@effect/vitest"
import { ESLint } from "eslint"
import { readdir } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import tseslint from "typescript-eslint"

// The project's own rules; those that need types would want the files to be there.
const eslint = new ESLint({
  cwd: fileURLToPath(new URL("../..", import.meta.url)),
  overrideConfig: { files: ["**/*.ts"], ...tseslint.configs.disableTypeChecked }
})

const folders = ["domain", "plane", "outbox", "sync", "orchestrator", "webhooks", "http", "cli"] as const

/** What the rules on imports say of a line of code in a folder of src, or below it. */
const said = async (folder: string, code: string) => {
  const [result] = await eslint.lintText(`${code}\n`, { filePath: `src/${folder}/Written.ts` })
  const messages = result?.messages ?? []
  assert.isFalse(messages.some(({ fatal }) => fatal), messages[0]?.message)
  return messages
    .filter(({ ruleId }) => ruleId === "no-restricted-imports" || ruleId === "no-restricted-syntax")
    .map(({ message }) => message)
}

describe("the lint rule on folders", () => {
  it("knows all folders of src", async () => {
    const names = await readdir(fileURLToPath(new URL("../../src", import.meta.url)))
    assert.sameMembers(names.filter((name) => !name.endsWith(".ts")), [...folders, "simulator"])
  })

  for (const [index, folder] of folders.entries()) {
    it(`${folder} imports from those before it, and from none after it`, async () => {
      for (const [other, name] of [...folders, "simulator"].entries()) {
        const isAllowed = other <= index
        for (
          const code of [
            `import { a } from "../${name}/A.js"`,
            `export * from "../../src/${name}/A.js"`,
            `import type { A } from "./../${name}/deeper/A.js"`,
            `import { a } from "../domain/../${name}/A.js"`,
            `export const a = () => import("../${name}/A.js")`
          ]
        ) {
          const messages = await said(folder, code)
          assert.strictEqual(messages.length, isAllowed ? 0 : 1, `${folder}: ${code}\n${messages.join("\n")}`)
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
      for (const folder of ["domain", "webhooks/gitea", "cli"]) {
        assert.lengthOf(await said(folder, code.replace("../", folder.includes("/") ? "../../" : "../")), 1, code)
      }
    }
  })

  it("the simulator imports nothing of the rest", async () => {
    for (const folder of folders) {
      for (
        const code of [
          `import { a } from "../${folder}/A.js"`,
          `import type { A } from "./../${folder}/deeper/A.js"`,
          `export const a = () => import("../${folder}/A.js")`
        ]
      ) assert.lengthOf(await said("simulator", code), 1, code)
    }
    for (const code of [`import { a } from "../index.js"`, `import { a } from "plane-sync"`]) {
      assert.lengthOf(await said("simulator", code), 1, code)
    }
    assert.lengthOf(await said("simulator", `import { a } from "./Http.js"`), 0)
  })
})
