import * as Reactivity from "@effect/experimental/Reactivity"
import * as PgClient from "@effect/sql-pg/PgClient"
import { Effect, Redacted, Schema } from "effect"
import type { Scope } from "effect"
import { spawn } from "node:child_process"
import { EventEmitter, once } from "node:events"
import { appendFileSync, chownSync, existsSync, mkdtempSync, readdirSync, readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { setTimeout } from "node:timers/promises"
import { freePort } from "./FreePort.js"
import { temporaryFolder } from "./TemporaryFolder.js"

/** Postgres did not do what it was told. */
export class ClusterError extends Schema.TaggedError<ClusterError>()("ClusterError", { words: Schema.String }) {
  override get message(): string {
    return `Postgres: ${this.words}`
  }
}

/** A server of our own, which ends with the scope, or with this process, however that ends. */
export interface Cluster {
  readonly port: number
  readonly folder: string
  /** Its own superuser on it. */
  readonly url: (database: string) => string
  /** Waits until it is gone. Immediately, it is as after a crash: the next start repairs what it left. */
  readonly stop: (how: "fast" | "immediate") => Effect.Effect<void>
  /** Waits until it takes connections. */
  readonly start: Effect.Effect<void, ClusterError>
  /** All of its processes, first the one whose children the others are. On Linux. */
  readonly processes: Effect.Effect<ReadonlyArray<number>>
  /** Stops all of its processes as they are (SIGSTOP). Connections stay open, and nothing is answered. On Linux. */
  readonly freeze: Effect.Effect<void>
  /** Lets the frozen processes go on. */
  readonly thaw: Effect.Effect<void>
  /** Ends all connections but its own, and says how many that were. */
  readonly cutConnections: Effect.Effect<number>
}

/**
 * Owns the folder and all that runs on it. It ends when its input does, which the system sees to: then it stops the
 * server and removes the folder. All of it is one group of processes, so that nothing can be started meanwhile. The
 * server's subshell and this shell ignore the signals that the server gets.
 */
const keeper = `
trap '' HUP INT QUIT TERM PIPE
cd "$FOLDER" || exit 1
while read -r word; do
  case $word in
    init)
      "$PROGRAMS/initdb" -D data "$@" $ORDER >>log 2>&1 || "$PROGRAMS/initdb" -D data "$@" >>log 2>&1
      echo "initialised $?" ;;
    start) ( "$PROGRAMS/postgres" -D "$FOLDER/data" >>log 2>&1 </dev/null; echo "ended $?" ) & ;;
  esac
done
kill -CONT 0
kill -QUIT 0
wait
cd /
rm -rf "$FOLDER"
`

const initial = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--wal-segsize=1"]

// Where it can: another order than that of bytes, as most servers have one. So a column that forgets its collation shows.
const order = "--locale-provider=icu --icu-locale=en-US"

/** What the processes of a server leave in `data` about it: its process, and "ready" once it takes connections. */
const pidFile = (folder: string) => {
  try {
    const lines = readFileSync(join(folder, "data", "postmaster.pid"), "utf8").split("\n")
    return { pid: Number(lines[0]), ready: lines[7]?.trim() === "ready" }
  } catch {
    return undefined
  }
}

/** Root cannot run Postgres. */
const unprivileged = () => {
  if (process.getuid?.() !== 0) return {}
  const passwd = readFileSync("/etc/passwd", "utf8").split("\n").map((line) => line.split(":"))
  const user = passwd.find(([name]) => name === "postgres") ?? passwd.find(([name]) => name === "nobody")
  return { uid: Number(user?.[2] ?? 65_534), gid: Number(user?.[3] ?? 65_534) }
}

/** The children of a process, by what Linux shows of all. */
const childrenOf = (parent: number) =>
  readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    try {
      const [, ppid] = readFileSync(`/proc/${name}/stat`, "utf8").replace(/^.*\) /s, "").split(" ")
      return Number(ppid) === parent ? [Number(name)] : []
    } catch {
      // It has ended meanwhile.
      return []
    }
  })

const signalTo = (pid: number | undefined, name: NodeJS.Signals) => {
  try {
    if (pid !== undefined) process.kill(pid, name)
  } catch {
    // It has ended meanwhile.
  }
}

/** Runs statements on a database by a connection that ends with them. */
export const onDatabase = <A, E>(
  url: string,
  statements: (sql: PgClient.PgClient) => Effect.Effect<A, E>
): Effect.Effect<A> =>
  PgClient.make({ url: Redacted.make(url), maxConnections: 1 }).pipe(
    Effect.flatMap(statements),
    Effect.provide(Reactivity.layer),
    Effect.scoped,
    Effect.orDie
  )

// What is committed is in the files, so that it survives an immediate stop. No test cuts the power, so nothing waits
// for the disk.
const hasty = `
fsync = off
full_page_writes = off
min_wal_size = 8MB
max_wal_size = 64MB
`

// Shared memory is in the folder, too: what is left of it goes with the folder.
const configuration = (port: number, folder: string) => `
listen_addresses = '127.0.0.1'
port = ${port}
unix_socket_directories = '${folder}'
max_connections = 200
dynamic_shared_memory_type = mmap
`

/**
 * Makes a cluster and starts it. `programs` is the folder of `initdb` and `postgres`. A durable one is on the disk and
 * waits for it, as a real one does: for those who measure.
 */
export const makeCluster = (
  programs: string,
  { durable = false }: { readonly durable?: boolean } = {}
): Effect.Effect<Cluster, ClusterError, Scope.Scope> =>
  Effect.gen(function*() {
    const folder = mkdtempSync(join(durable ? tmpdir() : temporaryFolder(), "plane-sync-postgres-"))
    const user = unprivileged()
    if (user.uid !== undefined) chownSync(folder, user.uid, user.gid)
    const log = () => existsSync(join(folder, "log")) ? readFileSync(join(folder, "log"), "utf8").slice(-2_000) : ""
    const failed = (words: string) => new ClusterError({ words: `${words}\n${log()}` })

    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn("/bin/sh", ["-c", keeper, "keeper", ...initial], {
          ...user,
          // A group of its own: what ends the group of this process, as ^C does, must leave it to clean up.
          detached: true,
          env: { PATH: process.env["PATH"] ?? "", FOLDER: folder, PROGRAMS: programs, ORDER: order },
          stdio: ["pipe", "pipe", "ignore"]
        })
      ),
      (child) =>
        Effect.promise(async () => {
          const ended = child.exitCode === null ? once(child, "exit") : undefined
          child.stdin.end()
          await ended
        })
    )
    const said = new EventEmitter()
    createInterface(child.stdout).on("line", (line) => {
      const [word = "", code] = line.split(" ")
      said.emit(word, code)
    })
    const tell = (word: string) => child.stdin.write(`${word}\n`)

    const port = yield* freePort
    yield* Effect.promise(() => {
      const initialised = once(said, "initialised")
      tell("init")
      return initialised
    }).pipe(
      Effect.filterOrFail(([code]) => code === "0", () => failed("initdb failed"))
    )
    appendFileSync(join(folder, "data", "postgresql.conf"), configuration(port, folder) + (durable ? "" : hasty))

    let running: Promise<unknown> = Promise.resolve()
    const start = Effect.tryPromise({
      try: async () => {
        const ended = once(said, "ended")
        running = ended
        tell("start")
        while (pidFile(folder)?.ready !== true) {
          if (await Promise.race([ended, setTimeout(10)])) throw new Error("it has ended")
        }
      },
      catch: (error) => failed(`cannot start: ${String(error)}`)
    })

    const stop = (how: "fast" | "immediate") =>
      Effect.promise(async () => {
        signalTo(pidFile(folder)?.pid, how === "fast" ? "SIGINT" : "SIGQUIT")
        await running
      })

    const processes = Effect.sync(() => {
      const pid = pidFile(folder)?.pid
      return pid === undefined ? [] : [pid, ...childrenOf(pid)]
    })
    const all = (name: NodeJS.Signals) =>
      Effect.map(processes, (pids) => {
        for (const pid of pids) signalTo(pid, name)
      })

    const url = (database: string) => `postgres://postgres@127.0.0.1:${port}/${database}`
    yield* start
    // A frozen server could not end.
    yield* Effect.addFinalizer(() => all("SIGCONT"))
    return {
      port,
      folder,
      url,
      start,
      stop,
      processes,
      freeze: all("SIGSTOP"),
      thaw: all("SIGCONT"),
      cutConnections: onDatabase(url("postgres"), (sql) =>
        Effect.map(
          sql<{ cut: string }>`SELECT count(pg_terminate_backend(pid)) AS cut FROM pg_stat_activity
            WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
          ([row]) => Number(row?.cut)
        ))
    }
  })
