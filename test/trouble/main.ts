import { Console, Effect } from "effect"
import { readFileSync, writeFileSync } from "node:fs"
import { Program } from "../main/Child.js"
import { page, section, sectionIn } from "./Document.js"
import { look } from "./Run.js"
import { troubles } from "./Troubles.js"

const file = new URL("../../docs/trouble.md", import.meta.url)

const document = readFileSync(file, "utf8")

const write = process.argv.includes("--write")
const wanted = process.argv.slice(2).filter((word) => !word.startsWith("--"))

/** Breaks each thing, one after the other, and says what is said of it. */
const program = Effect.gen(function*() {
  const sections = yield* Effect.forEach(
    troubles.filter(({ name }) => wanted.length === 0 || wanted.some((word) => name.includes(word))),
    (trouble) =>
      Effect.gen(function*() {
        const said = yield* look(trouble)
        const text = said === undefined ? sectionIn(document, trouble) : section(trouble, said)
        if (said === undefined) yield* Console.error(`NOT TRIED, because this user may not mount: ${trouble.name}`)
        if (text === undefined) return yield* Effect.dieMessage(`nothing is known of it: ${trouble.name}`)
        yield* Console.log(text)
        return text
      })
  )
  const text = page(sections)
  if (write) return writeFileSync(file, text)
  if (wanted.length > 0 || document === text) return
  yield* Console.error("docs/trouble.md is out of date: run npm run trouble -- --write")
  process.exitCode = 1
})

await Effect.runPromise(Effect.provide(program, Program.layer))
