import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { Clock, Console, Duration, Effect, Random, Schema } from "effect"
import { together } from "../../demo/Judge.js"
import { build } from "./Build.js"
import * as MigrationKills from "./MigrationKills.js"
import type { Kill } from "./Pair.js"
import * as Pair from "./Pair.js"
import { settings } from "./Program.js"
import type { Result } from "./Report.js"
import { addStrains, closing, noStrain, problemsOf, rowsOf, table } from "./Report.js"
import type { Step } from "./Steps.js"
import { deal } from "./Steps.js"

/** The run ended with problems, and the output has said which. */
export class Failed extends Schema.TaggedError<Failed>()("Failed", {}) {}

/**
 * How many programs run at the same time. With more than the cores, each is slower, and the kills are aimed less well.
 */
const pairs = 2

const drainLimit = Duration.minutes(3)

/** The whole run: build, load, kills, drain, and what Plane shows in the end. Its files go to `directory`. */
export const run = (options: { readonly kills: number; readonly seed: number; readonly directory: string }) =>
  Effect.gen(function*() {
    const { directory, seed } = options
    const files = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const begin = yield* Clock.currentTimeMillis
    const elapsed = Effect.map(Clock.currentTimeMillis, (now) => (now - begin) / 1000)
    const say = (text: string) =>
      Effect.flatMap(elapsed, (seconds) => Console.log(`${seconds.toFixed(1).padStart(6)} s  ${text}`))

    yield* say(`seed ${seed}, files in ${directory}`)
    const built = yield* build
    const home = (name: string) => Effect.tap(Effect.succeed(path.join(directory, name)), files.makeDirectory)
    const working = yield* Effect.forEach(
      Array.from({ length: pairs }),
      (_, index) =>
        Effect.flatMap(home(`pair-${index + 1}`), (own) => Pair.make(built, own, seed * 1_000 + index, index === 1))
    )
    const migrating = yield* Effect.flatMap(home("migrations"), (own) => MigrationKills.make(built, own, seed))
    yield* say(
      `${pairs} pairs of a Plane and a program, ${Pair.items} work items each; ` +
        "Plane fails or is late at 15 of 100 requests, at random; the first one has tasks that wait for people, and the " +
        "second one edits one comment for a work item"
    )
    yield* say(
      Object.entries(settings).map(([name, value]) => `${name.replace("ORCH_PLANE_", "")}=${value}`).join(", ")
    )

    const dealt = yield* deal(options.kills, seed)
    const kills: Array<Kill> = []
    const accepted = () => working.reduce((total, pair) => total + pair.counts().accepted, migrating.findings.length)
    const kill = <E, R>(life: Effect.Effect<Kill, E, R>) =>
      Effect.gen(function*() {
        const done = yield* life
        kills.push(done)
        const number = `kill ${String(kills.length).padStart(String(options.kills).length)} of ${options.kills}`
        yield* say(`${number}, ${done.step.padEnd(16)} accepted so far ${accepted()}`)
      })

    const isMigration = (step: Step) => step === "in a migration"
    const others = dealt.filter((step) => !isMigration(step))
    let next = 0
    const lives = (pair: Pair.Pair, index: number) =>
      Effect.whileLoop({
        while: () => next < others.length,
        body: () => kill(pair.life(others[next++] ?? "random")),
        step: () => undefined
      }).pipe(Effect.withRandom(Random.make(`${seed}:kills:${index}`)), Effect.raceFirst(pair.failed))
    const migrations = Effect.forEach(
      dealt.filter(isMigration),
      (_, index) => kill(migrating.life(index + 1)),
      { discard: true }
    ).pipe(Effect.withRandom(Random.make(`${seed}:migrations`)))
    yield* Effect.all([...working.map(lives), migrations], { concurrency: "unbounded", discard: true })

    yield* say(`the last lives go on until nothing is owed: ${accepted()} accepted`)
    const ends = yield* Effect.forEach(working, (pair) => pair.drain(drainLimit), { concurrency: "unbounded" })
    yield* say(
      ends.every(({ inTime }) => inTime) ? "all is told" : `not all was told within ${Duration.format(drainLimit)}`
    )

    const counts = working.map((pair) => pair.counts())
    const result: Result = {
      rows: rowsOf(kills),
      strain: ends.map(({ strain }) => strain).reduce(addStrains, noStrain),
      counts: {
        accepted: accepted(),
        resent: counts.reduce((total, { resent }) => total + resent, 0),
        duplicates: counts.reduce((total, { duplicates }) => total + duplicates, 0)
      },
      assignees: ends.flatMap(({ assignees }) => assignees),
      findings: together([...ends.flatMap(({ findings }) => findings), ...migrating.findings])
    }
    const problems = problemsOf(result)
    const ended = {
      seconds: yield* elapsed,
      table: table(result.rows),
      remark: [
        "The columns from “not yet leader” on count the kills of a row that met such a thing: what the file that was left and",
        "the simulator's records say, not what was aimed at. A kill can meet several things, or nothing."
      ],
      lines: closing(result),
      failed: problems.length > 0
    }
    yield* Effect.forEach([...problems, ...ended.table, ...ended.lines], (line) => Console.log(line))
    return ended
  })
