import { assert, describe, it } from "@effect/vitest"
import { Config, Effect, FastCheck, Logger, LogLevel, Option } from "effect"
import type { History } from "./History.js"
import { asked, plainly, rare, unasked } from "./History.js"
import { run } from "./Run.js"

// A failing run prints its seed and path: PROPERTY_SEED=… gives it back, with PROPERTY_PATH=… its smallest history
// alone.
const { path, runs, seed } = Effect.runSync(Config.all({
  seed: Config.option(Config.integer("PROPERTY_SEED")),
  path: Config.option(Config.string("PROPERTY_PATH")),
  runs: Config.withDefault(Config.integer("PROPERTY_RUNS"), 2)
}))

const timeLimit = Math.max(120_000, runs * 20_000)

const runHistory = async (history: History) => {
  const { advances, problems, story } = await Effect.runPromise(
    run(history).pipe(Effect.provide(Logger.minimumLogLevel(LogLevel.None)))
  )
  assert.deepStrictEqual(problems, [], ["", JSON.stringify(history.rules), ...story].join("\n"))
  return advances
}

const holds = (histories: FastCheck.Arbitrary<History>, runs: number) =>
  Effect.gen(function*() {
    let advances = 0
    yield* Effect.promise(() =>
      FastCheck.assert(
        FastCheck.asyncProperty(histories, async (history) => {
          advances += await runHistory(history)
        }),
        {
          numRuns: runs,
          // Before the test's own time is up, which would not tell the seed.
          interruptAfterTimeLimit: timeLimit,
          markInterruptAsFailure: true,
          ...Option.match(seed, { onNone: () => ({}), onSome: (seed) => ({ seed }) }),
          ...Option.match(path, { onNone: () => ({}), onSome: (path) => ({ path }) })
        }
      )
    )
    // Else the gates were hardly asked. Of a history or two that says nothing.
    if (Option.isSome(path) || runs > 4) assert.isAbove(advances, Option.isSome(path) ? 0 : runs)
  })

describe("tasks, where random histories seldom go", () => {
  for (const [name, steps] of Object.entries(rare)) {
    it.live(name, () => Effect.promise(() => runHistory(plainly(steps))), 90_000)
  }
})

describe("tasks, over random histories of pull requests, people and losses", () => {
  it.live("are where the rules say, with a Gitea that can be asked", () => holds(asked, runs), timeLimit + 30_000)

  it.live("are where the rules say, by the hooks alone", () => holds(unasked, Math.ceil(runs / 2)), timeLimit + 30_000)
})
