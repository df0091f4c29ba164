import type { Scope } from "effect"
import { Cause, Effect, Option, Schema } from "effect"
import { Worker } from "node:worker_threads"
import { driverPath } from "./Driver.js"
import type { LogEnd } from "./WalIndex.js"

/**
 * From this length on the log is copied into the file. SQLite itself begins at 1,000 pages. Each copying holds up a
 * commit or two for about three waits for the disk, so it must not come often.
 */
const manyFrames = 900

/** From this length on a commit waits until the log is copied, because the log would grow as fast as it is copied. */
const mostFrames = 1_000

// By the computer's time and not by Effect's clock, because a thread does not wait for a clock that a test moves.
const patienceMillis = 5_000

/**
 * A connection of its own in a thread. It is text, because a bundler would not find a file. A checkpoint that is in the
 * way of another one, or of a reader, does what it can.
 */
const script = `const { parentPort, workerData: { driver, file } } = require("node:worker_threads")
const database = new (require(driver))(file, { fileMustExist: true, timeout: 1000 })
parentPort.on("message", (mode) => {
  if (mode === "close") {
    database.close()
    return parentPort.close()
  }
  try {
    database.pragma("wal_checkpoint(" + mode + ")")
    parentPort.postMessage(null)
  } catch (error) {
    parentPort.postMessage({ code: String(error && error.code), words: String(error && error.message) })
  }
})`

/** What was wrong with a checkpoint. */
interface Problem {
  readonly code: string
  readonly words: string
}

const decode = Schema.decodeUnknownOption(Schema.Struct({ code: Schema.String, words: Schema.String }))

const problem = (words: string): Option.Option<Problem> => Option.some({ code: "", words })

/** A thread that makes checkpoints. It is started when the first is due: a program that ends soon needs none. */
const startThread = (file: string) => {
  const worker = new Worker(script, {
    eval: true,
    workerData: { driver: driverPath(), file },
    // Not the host's own: it may load TypeScript, for example. And no settings, which hold secrets.
    execArgv: [],
    env: {}
  })
  worker.unref()
  let isGone = false
  // In the order in which they were asked for.
  let waiting: ReadonlyArray<(answer: Option.Option<Problem>) => void> = []
  const answered = (answer: Option.Option<Problem>) => {
    const [first, ...others] = waiting
    waiting = others
    if (others.length === 0) worker.unref()
    first?.(answer)
  }
  const ended = (words: string) => {
    isGone = true
    while (waiting.length > 0) answered(problem(words))
  }
  worker.on("message", (message: unknown) => answered(decode(message)))
  worker.on("error", (error) => ended(error.message))
  worker.on("exit", () => ended("its thread has ended"))

  /** Runs a checkpoint, and gives what was wrong with it. Waits for 5 seconds at most. */
  const run = (mode: "PASSIVE" | "TRUNCATE"): Effect.Effect<Option.Option<Problem>> =>
    Effect.async((resume) => {
      if (isGone) return resume(Effect.succeed(problem("its thread has ended")))
      const timer = setTimeout(() => resume(Effect.succeed(problem("no answer within 5 seconds"))), patienceMillis)
      // Otherwise the process could end while somebody waits.
      worker.ref()
      waiting = [...waiting, (answer) => {
        clearTimeout(timer)
        resume(Effect.succeed(answer))
      }]
      worker.postMessage(mode)
    })

  /** Ends the thread. One that a silent disk holds cannot be ended, and is not waited for. */
  const close = Effect.async<void>((resume) => {
    if (isGone) return resume(Effect.void)
    const timer = setTimeout(() => {
      void worker.terminate()
      resume(Effect.void)
    }, patienceMillis)
    worker.once("exit", () => {
      clearTimeout(timer)
      resume(Effect.void)
    })
    worker.ref()
    worker.postMessage("close")
  })
  return { run, close, isGone: () => isGone }
}

/**
 * Copies the log into the file when it has become long, beside everything else, so that no checkpoint holds the event
 * loop. Gives what is to be called after each commit. `alone` keeps our own transactions away meanwhile.
 */
export const makeCheckpointer = (
  where: string,
  file: string,
  { alone, instead, refuse }: {
    readonly alone: <A>(effect: Effect.Effect<A>) => Effect.Effect<A>
    /** Has SQLite make them within the commits, where there is no thread. */
    readonly instead: Effect.Effect<void>
    /** Has nothing more accepted, because the disk has refused to sync the file. */
    readonly refuse: (words: string) => Effect.Effect<void>
  }
): Effect.Effect<(end: LogEnd | undefined) => Effect.Effect<void>, never, Scope.Scope> =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    let thread: ReturnType<typeof startThread> | undefined
    const idle = Effect.unsafeMakeLatch(true)
    let isRunning = false
    let isSaid = false
    let isBroken = false

    yield* Effect.addFinalizer(() =>
      // The last connection copies what is left, and waits for the disk on the event loop. So little is left to it.
      thread === undefined ? Effect.void : Effect.zipRight(thread.run("TRUNCATE"), thread.close)
    )

    /** From now on SQLite copies within the commits, which is better than a log without end. */
    const giveUp = (words: string) =>
      Effect.suspend(() => {
        isBroken = true
        return Effect.zipRight(
          Effect.logWarning(`The log of ${where} is copied within commits from now on: ${words}`),
          instead
        )
      })

    const pass = Effect.gen(function*() {
      thread ??= yield* Effect.try(() => startThread(file))
      const { isGone, run } = thread
      // The first copies most of it beside our commits. The second has none to wait for, and then the log begins anew.
      const first = yield* run("PASSIVE")
      const found = Option.isSome(first) ? first : yield* alone(run("PASSIVE"))
      if (Option.isNone(found)) {
        isSaid = false
        return
      }
      const { code, words } = found.value
      // What could not be synced may be dropped, and the next sync would not know of it.
      if (/^SQLITE_IOERR_\w*FSYNC$/.test(code)) return yield* refuse(words)
      if (isGone()) return yield* giveUp(words)
      if (isSaid) return
      isSaid = true
      yield* Effect.logWarning(`The log of ${where} was not copied, and grows until it is: ${words}`)
    }).pipe(
      Effect.catchAllCause((cause) =>
        Cause.isInterruptedOnly(cause) ? Effect.interrupt : giveUp(String(Cause.squash(cause)))
      )
    )

    const begin = Effect.suspend(() => {
      isRunning = true
      idle.unsafeClose()
      // Also where the scope is closing, and interrupts it before it begins.
      return pass.pipe(
        Effect.interruptible,
        Effect.ensuring(Effect.sync(() => {
          isRunning = false
          idle.unsafeOpen()
        })),
        Effect.forkIn(scope),
        Effect.uninterruptible
      )
    })

    return (end) => {
      if (end === undefined || end.frames < manyFrames || isBroken) return Effect.void
      return Effect.zipRight(
        isRunning ? Effect.void : begin,
        end.frames < mostFrames ? Effect.void : idle.await
      )
    }
  })
