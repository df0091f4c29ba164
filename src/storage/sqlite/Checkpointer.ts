import type { Scope } from "effect"
import { Effect, Schema } from "effect"
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
    parentPort.postMessage("")
  } catch (error) {
    parentPort.postMessage(String(error && error.message))
  }
})`

const isText = Schema.is(Schema.String)

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
  let answer: ((words: string) => void) | undefined
  const ended = (words: string) => {
    isGone = true
    answer?.(words)
  }
  worker.on("message", (words: unknown) => answer?.(isText(words) ? words : "an answer that is none"))
  worker.on("error", (error) => ended(error.message))
  worker.on("exit", () => ended("its thread has ended"))

  /** Runs a checkpoint, and gives what was wrong with it; nothing if nothing was. Waits for 5 seconds at most. */
  const run = (mode: "PASSIVE" | "TRUNCATE"): Effect.Effect<string> =>
    Effect.async((resume) => {
      if (isGone) return resume(Effect.succeed("its thread has ended"))
      if (answer !== undefined) return resume(Effect.succeed("the one before has not ended"))
      const timer = setTimeout(() => resume(Effect.succeed("no answer within 5 seconds")), patienceMillis)
      // Otherwise the process could end while somebody waits.
      worker.ref()
      answer = (words) => {
        answer = undefined
        clearTimeout(timer)
        worker.unref()
        resume(Effect.succeed(words))
      }
      worker.postMessage(mode)
    })

  const close = Effect.async<void>((resume) => {
    const timer = setTimeout(() => resume(Effect.asVoid(Effect.promise(() => worker.terminate()))), patienceMillis)
    worker.once("exit", () => {
      clearTimeout(timer)
      resume(Effect.void)
    })
    if (isGone) {
      clearTimeout(timer)
      return resume(Effect.void)
    }
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
  { alone, instead }: {
    readonly alone: <A>(effect: Effect.Effect<A>) => Effect.Effect<A>
    /** Has SQLite make them within the commits, where there is no thread. */
    readonly instead: Effect.Effect<void>
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

    const pass = Effect.gen(function*() {
      thread ??= startThread(file)
      const { isGone, run } = thread
      // The first copies most of it beside our commits. The second has none to wait for, and then the log begins anew.
      const words = (yield* run("PASSIVE")) || (yield* alone(run("PASSIVE")))
      if (words === "") {
        isSaid = false
      } else if (isGone()) {
        isBroken = true
        yield* Effect.logWarning(`The log of ${where} is copied within commits from now on: ${words}`)
        yield* instead
      } else if (!isSaid) {
        isSaid = true
        yield* Effect.logWarning(`The log of ${where} was not copied, and grows until it is: ${words}`)
      }
    })

    const begin = Effect.suspend(() => {
      isRunning = true
      idle.unsafeClose()
      return pass.pipe(
        Effect.ensuring(Effect.sync(() => {
          isRunning = false
          idle.unsafeOpen()
        })),
        Effect.interruptible,
        Effect.forkIn(scope)
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
