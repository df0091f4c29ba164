import type { PgClient } from "@effect/sql-pg/PgClient"
import type { Scope } from "effect"
import { Context, Deferred, Duration, Effect, Exit, Layer, Queue, Schedule, Schema } from "effect"
import { EventEmitter } from "node:events"
import { inOwnScope } from "../../base/OwnScope.js"
import { makeSignal } from "../../base/Signal.js"
import { uuidV7 } from "../../base/UuidV7.js"
import type { Elsewhere } from "../Elsewhere.js"

/** The channel of Postgres by which processes tell each other that there may be work. */
const channel = "plane_sync"

/** What a process tells only itself begins so. */
const checking = "check "

/** What is told when a leader has given up what it led. */
const free = "free"

/** How often a process tells itself something, to know that it still hears. */
const checkEvery = Duration.seconds(15)

/** How soon it must have heard that. */
const heardWithin = Duration.seconds(5)

const isNotification = Schema.is(Schema.Struct({ channel: Schema.Literal(channel), payload: Schema.String }))

/**
 * Listens, by a connection of its own, until the scope closes. Not by the client's `listen`: a connection that is cut
 * while it begins there is an error that nobody listens for, which ends the program; and later it never hears again.
 */
const listen = (client: PgClient) =>
  Effect.gen(function*() {
    // Loaded late, as all of the client is: a host on SQLite does not have it.
    const { layer, PgClient } = yield* Effect.promise(() => import("@effect/sql-pg/PgClient"))
    const config = { connectTimeout: "4 seconds", ...client.config, minConnections: 0, maxConnections: 1 } as const
    const alone = Context.get(yield* inOwnScope(Layer.build(layer(config))), PgClient)
    // The client loses a connection for good if it is interrupted while it takes one.
    const connection = yield* inOwnScope(Effect.uninterruptible(alone.reserve))
    // The connection of `pg` itself, which tells what was heard.
    const wire: unknown = Reflect.get(connection, "pg")
    if (!(wire instanceof EventEmitter)) {
      return yield* Effect.dieMessage("@effect/sql-pg keeps its connection elsewhere")
    }
    const notifications = yield* Queue.unbounded<string>()
    const cut = yield* Deferred.make<void>()
    const onNotification = (told: unknown) => {
      if (isNotification(told)) notifications.unsafeOffer(told.payload)
    }
    const onEnd = () => {
      Deferred.unsafeDone(cut, Exit.void)
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => wire.on("notification", onNotification).on("error", onEnd).on("end", onEnd)),
      () => Effect.sync(() => wire.off("notification", onNotification).off("error", onEnd).off("end", onEnd))
    )
    yield* connection.executeUnprepared(`LISTEN ${channel}`, [], undefined)
    return { notifications, ended: Deferred.await(cut) }
  })

/**
 * Tells other processes, and hears them, until the scope closes. A connection may also end without a word: so this
 * process tells itself something now and then, and listens anew when it does not hear that.
 */
export const makeElsewhere = (client: PgClient): Effect.Effect<Elsewhere, never, Scope.Scope> =>
  Effect.gen(function*() {
    const self = yield* uuidV7
    const heard = yield* makeSignal
    const heardFree = yield* makeSignal
    const own = yield* makeSignal
    const toTell = yield* makeSignal
    let isHearing = false
    // Not within a caller's transaction: it may be rolled back. The client loses a connection for good if it is
    // interrupted while it takes one.
    const notify = (payload: string) =>
      Effect.disconnect(
        Effect.uninterruptible(
          Effect.scoped(
            Effect.flatMap(
              client.reserve,
              (connection) => connection.executeUnprepared(`NOTIFY ${channel}, '${payload}'`, [], undefined)
            )
          )
        )
      )
    // What others tell only themselves wakes nobody here.
    const onTold = (payload: string) => {
      if (payload === self || payload === `${checking}${self}`) return own.notify
      if (payload === free) return heardFree.notify
      return payload.startsWith(checking) ? Effect.void : heard.notify
    }

    const hear = Effect.scoped(Effect.gen(function*() {
      const { ended, notifications } = yield* listen(client)
      const take = Effect.flatMap(Queue.take(notifications), onTold)
      yield* Effect.raceFirst(Effect.forever(take), ended)
    }))
    const check = Effect.gen(function*() {
      for (;;) {
        const mark = yield* own.mark
        yield* Effect.timeoutFail(
          // Told again, because the first may come before this process listens.
          Effect.raceFirst(own.since(mark), Effect.repeat(notify(`${checking}${self}`), Schedule.spaced("200 millis"))),
          { duration: heardWithin, onTimeout: () => "deaf" }
        )
        if (!isHearing) {
          // Something may have been told while nobody listened.
          yield* Effect.zipRight(heard.notify, heardFree.notify)
          isHearing = true
        }
        yield* Effect.sleep(checkEvery)
      }
    })
    const deaf = Effect.sync(() => {
      isHearing = false
    })
    yield* Effect.raceFirst(hear, check).pipe(
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
        yield* Effect.ignore(notify(self))
      }
    }).pipe(Effect.forkScoped)

    const tellWithin = (payload: string) =>
      Effect.asVoid(client.withoutTransforms()`SELECT pg_notify(${channel}, ${payload})`)
    return {
      tell: toTell.notify,
      tellWithin: tellWithin("host"),
      tellFreeWithin: tellWithin(free),
      heardFree,
      heard,
      isHearing: Effect.sync(() => isHearing)
    }
  })
