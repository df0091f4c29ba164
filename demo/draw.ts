import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Command from "@effect/platform/Command"
import * as FileSystem from "@effect/platform/FileSystem"
import { Console, Data, Effect, Stream } from "effect"
import { fileURLToPath } from "node:url"
import { pictureOf } from "./Picture.js"

/**
 * Runs the demo, shows what it prints, and draws it: the picture of the README. With `--check` nothing is written.
 */

class NotDrawn extends Data.TaggedError("NotDrawn")<{ readonly message: string }> {}

const root = fileURLToPath(new URL("../", import.meta.url))
const path = "docs/demo.svg"

const draw = Effect.gen(function*() {
  const demo = yield* Command.start(
    Command.make("npm", "run", "--silent", "demo").pipe(
      Command.workingDirectory(root),
      Command.env({ FORCE_COLOR: "1", NO_COLOR: "" }),
      Command.stderr("inherit")
    )
  )
  const output = yield* demo.stdout.pipe(
    Stream.decodeText(),
    Stream.tap((text) => Effect.sync(() => process.stdout.write(text))),
    Stream.mkString
  )
  const code = Number(yield* demo.exitCode)
  if (code !== 0) return yield* new NotDrawn({ message: `the demo has ended with ${code}: nothing is drawn` })
  const picture = pictureOf(output)
  if (picture === undefined) {
    return yield* new NotDrawn({ message: "the demo prints something else by now: demo/Picture.ts does not know it" })
  }
  if (process.argv.includes("--check")) return yield* Console.log("It can be drawn.")
  yield* Effect.flatMap(FileSystem.FileSystem, (files) => files.writeFileString(`${root}${path}`, picture))
  yield* Console.log(`Drawn: ${path}`)
})

draw.pipe(Effect.scoped, Effect.provide(NodeContext.layer), NodeRuntime.runMain)
