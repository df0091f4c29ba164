import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { Program } from "../main/Child.js"
import { section } from "./Document.js"
import { look } from "./Run.js"
import { troubles } from "./Troubles.js"

const document = readFileSync(new URL("../../docs/trouble.md", import.meta.url), "utf8")

// Those that are said at once; `npm run trouble` breaks all.
const few = ["A setting is wrong", "The stage table names a state that is not there", "The database file is empty"]

describe("docs/trouble.md", () => {
  it("tells of every trouble, in their order", () => {
    const titles = Array.from(document.matchAll(/^## (.*)$/gm), ([, title]) => title)
    assert.deepStrictEqual(titles, troubles.map(({ name }) => name))
  })

  it.live(
    "says what is said: npm run trouble -- --write",
    () =>
      Effect.forEach(
        troubles.filter(({ name }) => few.includes(name)),
        (trouble) =>
          Effect.map(look(trouble), (said) => {
            assert.include(document, said === undefined ? "it can be broken" : section(trouble, said))
          })
      ).pipe(
        Effect.tap((broken) => Effect.sync(() => assert.lengthOf(broken, few.length))),
        Effect.provide(Program.layer)
      ),
    90_000
  )
})
