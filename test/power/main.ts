import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Process from "@effect/platform/Command"
import * as FileSystem from "@effect/platform/FileSystem"
import Database from "better-sqlite3"
import { Clock, Console, Data, Effect, Layer, Schema } from "effect"
import { PCGRandom } from "effect/Utils"
import { fileURLToPath } from "node:url"
import { Storage } from "../../src/StorageLayers.js"
import type { Fate, Op } from "./Trace.js"
import { afterCut, fates, readTrace, writesDuringSyncs } from "./Trace.js"

/**
 * Power cuts. The pipeline publishes and sends, and a library between it and its files records each write and each
 * sync. From that the files are made as a cut at any moment could leave them. Each time SQLite must find the database
 * whole, with every event that was accepted and every comment that was sent before. As a check of the check, the same is done
 * with a disk that says at once that all is there: then events must be missing.
 */

class Failed extends Data.TaggedError("Failed")<{ readonly message: string }> {}

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))

/** Runs a program, and fails with what it has written if it does not end well. */
const run = (command: Process.Command) =>
  Effect.flatMap(
    Process.exitCode(command.pipe(Process.stdout("inherit"), Process.stderr("inherit"))),
    (code) => code === 0 ? Effect.void : new Failed({ message: `a program has ended with ${code}` })
  )

interface Found {
  readonly isSound: boolean
  readonly lost: ReadonlyArray<string>
}

const Ids = Schema.Array(Schema.Struct({ id: Schema.NullOr(Schema.String) }))

const Verdicts = Schema.Array(Schema.Struct({ integrity_check: Schema.String }))

/** What SQLite finds in a file, and which promises it does not keep. */
const judge = (file: string, promises: ReadonlyArray<string>): Found => {
  const database = new Database(file)
  try {
    const idsOf = (statement: string) =>
      new Set(Schema.decodeUnknownSync(Ids)(database.prepare(statement).all()).map(({ id }) => id ?? ""))
    const found = Schema.decodeUnknownSync(Verdicts)(database.prepare("PRAGMA integrity_check(1)").all())
    const accepted = idsOf("SELECT id FROM plane_sync_event")
    const sent = idsOf("SELECT external_id AS id FROM plane_sync_delivery")
    return {
      isSound: found.every(({ integrity_check }) => integrity_check === "ok"),
      lost: promises.filter((promise) => {
        const [what = "", id = ""] = promise.split(" ")
        return !(what === "accepted" ? accepted : sent).has(id)
      })
    }
  } catch (error) {
    return { isSound: false, lost: [String(error)] }
  } finally {
    database.close()
  }
}

/** The promises that were made before each op. Those of the last write may not have left yet. */
const promisesBefore = (ops: ReadonlyArray<Op>, file: string, cut: number): ReadonlyArray<string> =>
  ops.slice(0, cut).flatMap((op) => op.kind === "write" && op.file === file ? [op.data.toString().trim()] : [])

/** Runs the program, and gives what a cut of it at some moment leaves, of a given fate. */
const recorded = (folder: string, library: string, kind: "honest" | "lying", events: number, random: () => number) =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const [data, cutFolder, trace] = [`${folder}/${kind}`, `${folder}/${kind}-cut`, `${folder}/${kind}-trace`]
    yield* files.makeDirectory(data)
    yield* files.makeDirectory(cutFolder)
    const database = `${data}/events.sqlite`
    yield* Effect.scoped(Layer.build(Storage.layerFile(database)))
    const before = new Map([[database, Buffer.from(yield* files.readFile(database))]])
    yield* run(
      Process.make(process.execPath, "--import", "tsx", here("./Writer.ts"), data, String(events), kind).pipe(
        Process.env({ LD_PRELOAD: library, POWER_FOLDER: `${data}/`, POWER_TRACE: trace })
      )
    )
    const ops = readTrace(Buffer.from(yield* files.readFile(trace)))
    const marks = ops.flatMap((op, moment) => op.file === `${data}/promises` ? [moment + 1] : [])

    /** Half of the cuts come at once after a promise. */
    const moment = () =>
      random() < 0.5
        ? Math.floor(random() * (ops.length + 1))
        : marks[Math.floor(random() * marks.length)] ?? ops.length

    const cut = (fate: Fate) =>
      Effect.gen(function*() {
        const cut = moment()
        const left = afterCut(ops, before, cut, { fate, random })
        const path = `${cutFolder}/events.sqlite`
        for (const suffix of ["", "-wal", "-shm"]) yield* files.remove(path + suffix, { force: true })
        for (const suffix of ["", "-wal"]) {
          const content = left.get(database + suffix)
          if (content !== undefined) yield* files.writeFile(path + suffix, content)
        }
        return { cut, fate, ...judge(path, promisesBefore(ops, `${data}/promises`, cut)) }
      })
    return { cut, database, marks, ops }
  })

const power = (options: { readonly cuts: number; readonly events: number; readonly seed: number }) =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const folder = yield* files.makeTempDirectoryScoped({ prefix: "plane-sync-power-" })
    const library = `${folder}/recorder.so`
    yield* run(Process.make("cc", "-shared", "-fPIC", "-O1", "-o", library, here("./recorder.c"), "-ldl", "-lpthread"))
    const generator = new PCGRandom(options.seed)
    const random = () => generator.number()

    const began = yield* Clock.currentTimeMillis
    const { cut, database, marks, ops } = yield* recorded(folder, library, "honest", options.events, random)
    const found = yield* Effect.forEach(
      Array.from({ length: options.cuts }, (_, n) => fates[n % fates.length] ?? "there"),
      cut
    )
    const bad = found.filter(({ isSound, lost }) => !isSound || lost.length > 0)
    for (const { cut, fate, isSound, lost } of bad) {
      yield* Console.error(`cut before op ${cut}, ${fate}: ${isSound ? "" : "not sound, "}${lost[0] ?? ""}`)
    }
    const copied = ops.filter((op) => op.kind === "syncEnds" && op.file === database).length
    const during = writesDuringSyncs(ops, `${database}-wal`)
    const lying = yield* recorded(folder, library, "lying", 200, random)
    const lies = yield* Effect.forEach(Array.from({ length: 20 }), () => lying.cut("absent"))

    const lost = found.reduce((sum, { lost }) => sum + lost.length, 0)
    const unsound = found.filter(({ isSound }) => !isSound).length
    const seconds = Math.round(((yield* Clock.currentTimeMillis) - began) / 1000)
    yield* Console.log(
      `${ops.length} writes and syncs, ${marks.length} promises, ${copied} syncs of the file itself, ` +
        `${during} writes of the log during a sync of it, ${seconds} s`
    )
    if (copied === 0) return yield* new Failed({ message: "no checkpoint was made: publish more events" })
    if (during === 0) return yield* new Failed({ message: "nothing was written during a sync: the wait was not tried" })
    if (lies.every(({ lost }) => lost.length === 0)) {
      return yield* new Failed({ message: "nothing is lost on a disk that lies: the check checks nothing" })
    }
    yield* Console.log(`cuts ${options.cuts}, lost ${lost}, unsound ${unsound}`)
    if (lost > 0 || unsound > 0) return yield* new Failed({ message: "a power cut loses what was promised" })
  }).pipe(Effect.scoped)

const whole = (name: string, fallback: number, words: string) =>
  Options.integer(name).pipe(
    Options.withSchema(Schema.Int.pipe(Schema.between(1, 1_000_000))),
    Options.withDefault(fallback),
    Options.withDescription(words)
  )

const command = Command.make("power", {
  cuts: whole("cuts", 500, "how many power cuts are tried"),
  events: whole("events", 1_500, "how many events are published"),
  seed: whole("seed", 1, "of the moments, and of what a cut leaves")
}, power).pipe(Command.withDescription("Cuts the power at any moment, and looks what the disk has kept."))

Command.run(command, { name: "npm run power --", version: "1" })(process.argv).pipe(
  Effect.provide(NodeContext.layer),
  NodeRuntime.runMain
)
