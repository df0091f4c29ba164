import type { PgClient } from "@effect/sql-pg/PgClient"
import type { Scope } from "effect"
import { Clock, Duration, Effect, Fiber, Schedule, Stream } from "effect"
import { inOwnScope } from "../../base/OwnScope.js"
import { makeSignal } from "../../base/Signal.js"
import { uuidV7 } from "../../base/UuidV7.js"
import type { Elsewhere } from "../Elsewhere.js"

/** The channel of Postgres by which processes tell each other that there may be work. */
const channel = "plane_sync"

/** How often a process tells itself something, to know that it still hears. */
const checkEvery = Duration.seconds(15)

/** How soon it must have heard that. */
const heardWithin = Duration.seconds(5)

/**
 * Listens until the scope closes. The client's `listen` never ends, and never hears again, once its connection is cut.
 * So this process tells itself something now and then, and listens anew when it does not hear that.
 */
export const makeElsewhere = (client: PgClient): Effect.Effect<Elsewhere, never, Scope.Scope> =>
  Effect.gen(function*() {
    const self = yield* uuidV7
    const heard = yield* makeSignal
    const own = yield* makeSignal
    const toTell = yield* makeSignal
    let isHearing = false
    // Not within a caller's transaction: it may be rolled back. The client loses a connection for good if it is
    // interrupted while it takes one.
    const notify = Effect.disconnect(
      Effect.uninterruptible(
        Effect.scoped(
          Effect.flatMap(
            client.reserve,
            (connection) => connection.executeUnprepared(`NOTIFY ${channel}, '${self}'`, [], undefined)
          )
        )
      )
    )

    // The client leaves out what has no payload.
    const hear = Effect.scoped(Effect.gen(function*() {
      const pull = yield* inOwnScope(Stream.toPull(client.listen(channel)))
      for (;;) {
        for (const from of yield* pull) yield* from === self ? own.notify : heard.notify
      }
    }))
    // The client loses a connection for good, too, if it is interrupted while it begins to listen. So the end waits
    // until it listens, or has failed to.
    const heardOrFailed = Effect.gen(function*() {
      const begun = yield* own.mark
      const listener = yield* Effect.forkDaemon(hear)
      yield* Effect.addFinalizer(() =>
        Effect.raceFirst(own.since(begun), Effect.repeat(notify, Schedule.spaced("100 millis"))).pipe(
          Effect.raceFirst(Fiber.await(listener)),
          Effect.timeout("4 seconds"),
          // By the computer's time: the connection does not wait for a clock that a test moves.
          Effect.withClock(Clock.make()),
          Effect.ignore,
          Effect.zipRight(Fiber.interrupt(listener)),
          // In a fiber that can be interrupted, and was not.
          Effect.interruptible,
          Effect.forkDaemon,
          Effect.flatMap(Fiber.join)
        )
      )
      return yield* Fiber.join(listener)
    })
    const check = Effect.gen(function*() {
      for (;;) {
        const mark = yield* own.mark
        yield* Effect.timeoutFail(
          // Told again, because the first may come before this process listens.
          Effect.raceFirst(own.since(mark), Effect.repeat(notify, Schedule.spaced("200 millis"))),
          { duration: heardWithin, onTimeout: () => "deaf" }
        )
        if (!isHearing) {
          isHearing = true
          // Something may have been told while nobody listened.
          yield* heard.notify
        }
        yield* Effect.sleep(checkEvery)
      }
    })
    const deaf = Effect.sync(() => {
      isHearing = false
    })
    yield* Effect.raceFirst(Effect.scoped(heardOrFailed), check).pipe(
      Effect.ensuring(deaf),
      // A cut connection can be a defect of the client. The loops that look by themselves go on meanwhile.
      Effect.catchAllCause((cause) => Effect.logDebug("Listening anew", cause)),
      Effect.repeat(Schedule.spaced("1 second")),
      // A command that ends at once need not listen.
      Effect.delay("1 second"),
      Effect.annotateLogs({ service: "Elsewhere" }),
      Effect.forkScoped
    )

    yield* Effect.gen(function*() {
      let last = yield* toTell.mark
      for (;;) {
        yield* toTell.since(last)
        // Before it is told, so that what comes meanwhile is told as well.
        last = yield* toTell.mark
        // Who is not told looks by itself a little later.
        yield* Effect.ignore(notify)
      }
    }).pipe(Effect.forkScoped)

    return {
      tell: toTell.notify,
      tellWithin: Effect.asVoid(client.withoutTransforms()`SELECT pg_notify(${channel}, 'host')`),
      heard,
      isHearing: Effect.sync(() => isHearing)
    }
  })
