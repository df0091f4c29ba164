import { Console, Effect } from "effect"
import { execFileSync } from "node:child_process"
import {
  appendFileSync,
  copyFileSync,
  linkSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import { mount, mountSmall } from "../../faults/Disk.js"
import type { Attack } from "../Attack.js"
import { Skipped } from "../Attack.js"
import { Target } from "../Target.js"
import { event, must, publishing, raw, send } from "../Wire.js"

const publish = (port: number) => send({ port }, publishing(event))
const health = (port: number) => send({ port }, raw("GET /health", [["Host", "localhost"]]))

const isTaken = (port: number) =>
  Effect.flatMap(publish(port), ({ status, text }) => must(status === 202, `a publish was answered ${text}`))

const isNotTaken = (port: number) =>
  Effect.flatMap(publish(port), ({ status, text }) => must(status === 503, `a publish was answered ${text}`))

/** A command on a file ends with a failure, and in these words. */
const isRefused = (file: string, args: ReadonlyArray<string>, words: RegExp, settings = {}) =>
  Effect.gen(function*() {
    const { command } = yield* Target
    const { code, err, out } = yield* command(args, { ORCH_DATABASE_URL: file, ...settings })
    yield* must(code > 0 && words.test(err), `${args.join(" ")} on ${file} ended with ${code}: ${out}${err}`)
  })

const publishCommand = ["publish", "completed", "ET-1"]

const integrityOf = (file: string) =>
  execFileSync(process.execPath, [
    "-e",
    `process.stdout.write(new (require("better-sqlite3"))(process.argv[1]).pragma("integrity_check", { simple: true }))`,
    file
  ], { encoding: "utf8" })

const secondName: Attack = {
  row: 61,
  name: "second-name",
  shows: "a file with a second name, or that is mounted by itself, takes nothing, and is whole afterwards",
  inCi: false,
  run: Effect.gen(function*() {
    const target = yield* Target
    const { file, port } = yield* target.serve()
    yield* isTaken(port)
    const other = `${file}.other`
    linkSync(file, other)
    yield* isNotTaken(port)
    for (const name of [file, other]) {
      yield* isRefused(name, publishCommand, /hard link/)
      yield* isRefused(name, ["serve"], /hard link/, { ORCH_PORT: "0" })
    }
    rmSync(other)
    yield* isTaken(port)
    const mounted = `${yield* target.folder}/mounted.sqlite`
    writeFileSync(mounted, "")
    if (yield* mount(mounted, "--bind", file)) {
      yield* isRefused(mounted, publishCommand, /mount the folder, not the file/)
    } else yield* Console.log("  without a file that is mounted by itself, because this user may not mount")
    yield* must(integrityOf(file) === "ok", "the file is not whole")
  })
}

const removedIndex: Attack = {
  row: 62,
  name: "removed-index",
  shows: "after the index was removed under a running serve, nobody says that anything was stored",
  inCi: true,
  run: Effect.gen(function*() {
    const { file, port } = yield* (yield* Target).serve()
    yield* isTaken(port)
    rmSync(`${file}-shm`)
    for (let n = 0; n < 3; n++) yield* isRefused(file, publishCommand, /index \(-shm\).*restart/)
    yield* isNotTaken(port)
  })
}

/** The most lines that a full disk may add to a log, however many events are published. */
const mostLines = 20

const fullDisk: Attack = {
  row: 72,
  name: "full-disk",
  shows: "on a full disk 1,000 publishes are refused in few lines of the log, and taken again once there is room",
  inCi: true,
  run: Effect.gen(function*() {
    const target = yield* Target
    const folder = yield* target.folder
    if (!(yield* mountSmall(folder))) return yield* new Skipped({ why: "this user may not mount a small disk" })
    const { log, port } = yield* target.serve({ ORCH_DATABASE_URL: `${folder}/events.sqlite` })
    yield* isTaken(port)
    const ballast = `${folder}/ballast`
    for (const bytes of [65_536, 512]) {
      try {
        for (;;) appendFileSync(ballast, new Uint8Array(bytes))
      } catch {
        // It is full.
      }
    }
    const before = readFileSync(log, "utf8").length
    const statuses = yield* Effect.forEach(Array.from({ length: 1_000 }), () => publish(port), { concurrency: 16 })
    const lost = statuses.filter(({ status }) => status !== 202 && status !== 503)
    yield* must(lost.length === 0, `${lost.length} were answered ${lost[0]?.text ?? ""}`)
    const refused = statuses.filter(({ status }) => status === 503).length
    yield* must(refused > 900, `only ${refused} of 1,000 were refused`)
    yield* Effect.sleep("1500 millis")
    const lines = readFileSync(log, "utf8").slice(before).split("\n").length
    yield* must(lines <= mostLines, `the log has got ${lines} lines`)
    yield* must(/no space left/.test((yield* health(port)).text), "/health does not say it")
    rmSync(ballast)
    yield* isTaken(port)
  })
}

/** Fills the middle page of a file with zeros. */
const zeroPage = (file: string) => {
  const content = readFileSync(file)
  const page = Math.floor(content.length / 2 / 4_096) * 4_096
  writeFileSync(file, content.fill(0, page, page + 4_096))
}

const damage: Attack = {
  row: 74,
  name: "damage",
  shows: "a cut file is refused, a page of zeros and a backup that is copied over are noticed, a backup restores",
  inCi: false,
  run: Effect.gen(function*() {
    const { command, folder, serve } = yield* Target
    const home = yield* folder
    const backup = `${home}/backup.sqlite`
    const { file } = yield* Effect.scoped(Effect.gen(function*() {
      const served = yield* serve()
      yield* isTaken(served.port)
      const { code, err } = yield* command(["backup", backup], { ORCH_DATABASE_URL: served.file })
      yield* must(code === 0, `backup ended with ${code}: ${err}`)
      yield* isTaken(served.port)
      copyFileSync(backup, served.file)
      yield* isNotTaken(served.port)
      yield* isRefusedByHealth(served.port, /another program has written into the file/)
      return served
    }))
    for (const part of ["", "-wal", "-shm"]) rmSync(`${file}${part}`, { force: true })

    const cut = `${home}/cut.sqlite`
    copyFileSync(backup, cut)
    truncateSync(cut, statSync(cut).size - 1)
    for (const args of [publishCommand, ["serve"]]) yield* isRefused(cut, args, /damaged/, { ORCH_PORT: "0" })

    const zeroed = `${home}/zeroed.sqlite`
    copyFileSync(backup, zeroed)
    zeroPage(zeroed)
    const { port: damaged } = yield* serve({ ORCH_DATABASE_URL: zeroed })
    yield* Effect.sleep("1 second")
    yield* isRefusedByHealth(damaged, /the file is damaged/)
    yield* isNotTaken(damaged)

    copyFileSync(backup, file)
    const { port } = yield* serve({ ORCH_DATABASE_URL: file })
    yield* isTaken(port)
  })
}

const isRefusedByHealth = (port: number, words: RegExp) =>
  Effect.flatMap(health(port), ({ text }) => must(words.test(text) && /"degraded"/.test(text), `/health says ${text}`))

const restarted: Attack = {
  row: 75,
  name: "restarted",
  shows: "a container that is killed and comes back under another host name listens and takes events at once",
  inCi: false,
  run: Effect.gen(function*() {
    const { serve } = yield* Target
    const { file } = yield* Effect.scoped(Effect.tap(serve(), ({ port }) => isTaken(port)))
    // As it was left, but by another host.
    execFileSync(process.execPath, [
      "-e",
      `new (require("better-sqlite3"))(process.argv[1]).prepare(
        "INSERT OR REPLACE INTO plane_sync_sender (id, holder, pid, host, since, seen_at) VALUES (1, 'x', 1, 'old', 1, ?)"
      ).run(Date.now())`,
      file
    ])
    const begun = performance.now()
    const { port } = yield* serve({ ORCH_DATABASE_URL: file, ORCH_WEBHOOKS_INSECURE: "true" })
    const took = performance.now() - begun
    yield* must(took < 15_000, `it listens after ${took.toFixed(0)} ms`)
    yield* isTaken(port)
    yield* must(/process 1 on old sends from this file/.test((yield* health(port)).text), "/health does not say it")
  })
}

const noFile: Attack = {
  row: 80,
  name: "no-file",
  shows: "a database that is not on a disk, or not to be written, is refused in words",
  inCi: false,
  run: Effect.gen(function*() {
    const home = yield* (yield* Target).folder
    const given = [":memory:", "file::memory:?cache=shared", `file:${home}/x.sqlite?mode=ro`, home, "/dev/null"]
    for (const file of given) {
      for (const args of [publishCommand, ["serve"]]) {
        yield* isRefused(file, args, /ORCH_DATABASE_URL|Storage|database/, { ORCH_PORT: "0" })
      }
    }
  })
}

/** What happens to the database's file. */
export const fileAttacks: ReadonlyArray<Attack> = [secondName, removedIndex, fullDisk, damage, restarted, noFile]
