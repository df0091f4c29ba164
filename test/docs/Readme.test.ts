import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { commandsOf } from "../../src/cli/Help.js"

const root = fileURLToPath(new URL("../../", import.meta.url))
const textOf = (path: string) => readFileSync(join(root, path), "utf8")

const readme = textOf("README.md")

/** From a heading to the next one. */
const section = (heading: string) => readme.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? ""

const Package = Schema.parseJson(
  Schema.Struct({
    version: Schema.String,
    devDependencies: Schema.Record({ key: Schema.String, value: Schema.String })
  })
)

describe("the README", () => {
  it("has fewer than 1,200 words, code and all", () => {
    assert.isBelow(readme.split(/\s+/).filter((word) => word !== "").length, 1_200)
  })

  it("has the two commands that need nothing but a checkout", () => {
    assert.match(readme, /^npm ci && npm run demo /m)
    assert.match(readme, /^npm ci && npm test /m)
  })

  it("names versions that are this package's, and those that it is tested with", () => {
    const { devDependencies, version } = Schema.decodeSync(Package)(textOf("package.json"))
    const named = Array.from(readme.matchAll(/((?:@effect\/)?[a-z-]+)@(\d+\.\d+\.\d+)/g))
    assert.isNotEmpty(named)
    for (const [whole, name = "", of] of named) assert.strictEqual(of, devDependencies[name], whole)
    const own = Array.from(readme.matchAll(/plane-sync[-:](\d+\.\d+\.\d+)/g), ([, of]) => of)
    assert.isNotEmpty(own)
    for (const of of own) assert.strictEqual(of, version)
    const node = textOf(".nvmrc").trim()
    assert.include(readme, `Node ${node} or newer`)
    for (const line of textOf("Dockerfile").matchAll(/^FROM node:([\d.]+)-/gm)) assert.strictEqual(line[1], node)
  })

  it("gives figures that stand where they are told in full", () => {
    const numbersIn = (text: string) =>
      Array.from(
        text.replace(/\]\([^)]*\)/g, "]").matchAll(/\d[\d,.]*/g),
        ([number]) => number.replaceAll(",", "").replace(/\.$/, "")
      )
    const told = new Set(numbersIn(textOf("docs/performance.md") + textOf("docs/reliability.md")))
    const bullets = section("Why not just call the API").split(/^- /m).slice(1)
    assert.lengthOf(bullets, 5)
    // The name of a work item is none.
    for (const bullet of bullets) {
      const figures = numbersIn(bullet.replaceAll("ET-002", ""))
      assert.isNotEmpty(figures, bullet)
      for (const figure of figures) assert.isTrue(told.has(figure), `${figure} in: ${bullet}`)
    }
  })
})

describe("docs/cli.md", () => {
  it("names every command", () => {
    const page = textOf("docs/cli.md")
    for (const [name] of commandsOf([])) {
      const [command = "", below] = name.split(" ")
      const row = page.split("\n").find((line) => line.startsWith(`| \`plane-sync ${command}`)) ?? ""
      assert.notStrictEqual(row, "", name)
      if (below !== undefined) assert.match(row, new RegExp(`[ |\\\\]${below}[\`|\\\\ ]`), name)
    }
  })
})
