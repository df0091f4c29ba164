import type { Scope } from "effect"
import { Clock, Context, DateTime, Effect, Layer, Queue, Stream } from "effect"
import { utc } from "../base/Time.js"
import { EpochMillis } from "../base/Time.js"
import type { Health } from "../health/Health.js"
import type { Outbox } from "../outbox/Outbox.js"
import { Storage } from "../storage/Storage.js"
import { WakeUps } from "../storage/WakeUps.js"
import { makeChanges } from "./Changes.js"

/** Tells pages that something has changed, so that they read again. */
export class Live extends Context.Tag("plane-sync/Live")<Live, {
  /** Whether as many pages read as may. */
  readonly isFull: Effect.Effect<boolean>
  /**
   * What one page is told, in the form of `text/event-stream`. It has no more than a few messages before it: one that
   * does not read is dropped by `drop`, and its stream ends. It also ends at once if as many read as may.
   */
  readonly stream: (drop: Effect.Effect<void>) => Stream.Stream<Uint8Array>
  /** Ends all streams, and takes no more: the program stops. */
  readonly end: Effect.Effect<void>
}>() {
  static readonly layer: Layer.Layer<Live, never, Health | Outbox | Storage | WakeUps> = Layer.scoped(
    Live,
    Effect.suspend(() => make)
  )
}

/** How many pages may read. */
export const mostReaders = 20

/** How many messages wait for a page that does not read: with one a second and the comments, that takes 15 seconds. */
const mostWaiting = 16

/** How often something is told at most. */
const tellEvery = "1 second"

/** How often a comment shows that the connection lives. */
const aliveEvery = "10 seconds"

interface Reader {
  readonly queue: Queue.Queue<string>
  readonly drop: Effect.Effect<void>
}

const message = (event: string, data: object) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`

const now = Effect.map(Clock.currentTimeMillis, (millis) => DateTime.formatIso(utc(EpochMillis(millis))))

const make: Effect.Effect<Live["Type"], never, Health | Outbox | Scope.Scope | Storage | WakeUps> = Effect.gen(
  function*() {
    const { begin, look } = yield* makeChanges
    const { sql, trouble } = yield* Storage
    const wakeUps = yield* WakeUps
    // Other replicas tell of what is published, but not of what they have told Plane.
    const lookEvery = sql.isShared ? "5 seconds" : "1 second"
    const readers = new Set<Reader>()
    const hasReaders = yield* Effect.makeLatch(false)
    const isBegun = yield* Effect.makeLatch(false)
    let isEnded = false

    /** Says it to everybody. Who has not read what was said before is dropped. */
    const say = (text: string) =>
      Effect.forEach(
        Array.from(readers),
        ({ drop, queue }) =>
          Effect.flatMap(Queue.offer(queue, text), (isTaken) =>
            isTaken ? Effect.void : Effect.zipRight(Queue.shutdown(queue), drop)),
        { discard: true }
      )

    const tell = Effect.gen(function*() {
      const mark = yield* wakeUps.mark
      const changed = yield* trouble.retry(look)
      if (changed !== undefined) {
        yield* say(message("changed", { ...changed, at: yield* now }))
        yield* Effect.sleep(tellEvery)
      }
      yield* Effect.raceFirst(wakeUps.since(mark), Effect.sleep(lookEvery))
    })

    // While nobody reads nothing is looked at.
    const watch = Effect.gen(function*() {
      yield* hasReaders.await
      yield* trouble.retry(begin)
      yield* isBegun.open
      while (readers.size > 0) yield* tell
      yield* isBegun.close
    })
    yield* Effect.forkScoped(Effect.forever(watch))
    yield* Effect.forkScoped(Effect.forever(Effect.zipRight(Effect.sleep(aliveEvery), say(": alive\n\n"))))

    const end = Effect.suspend(() => {
      isEnded = true
      return Effect.forEach(Array.from(readers), ({ queue }) => Queue.shutdown(queue), { discard: true })
    })
    yield* Effect.addFinalizer(() => end)

    const isFull = Effect.sync(() => isEnded || readers.size >= mostReaders)

    const open = (drop: Effect.Effect<void>) =>
      Effect.gen(function*() {
        if (yield* isFull) return Stream.empty
        const queue = yield* Queue.dropping<string>(mostWaiting)
        const reader: Reader = { queue, drop }
        yield* Effect.acquireRelease(
          Effect.zipRight(Effect.sync(() => readers.add(reader)), hasReaders.open),
          () =>
            Effect.suspend(() => {
              readers.delete(reader)
              return Effect.zipRight(readers.size > 0 ? Effect.void : hasReaders.close, Queue.shutdown(queue))
            })
        )
        // What the page reads after this is no older than what changes are compared with.
        const hello = Stream.fromEffect(
          Effect.zipRight(
            Effect.timeoutOption(isBegun.await, tellEvery),
            Effect.map(now, (at) => message("hello", { at }))
          )
        )
        return Stream.concat(hello, Stream.fromQueue(queue))
      })

    return Live.of({
      isFull,
      stream: (drop) => Stream.encodeText(Stream.unwrapScoped(open(drop))),
      end
    })
  }
)
