import { assert, it } from "@effect/vitest"
import { Effect, Either, Layer, Option, Redacted } from "effect"
import { Outbox } from "../../src/outbox/Outbox.js"
import { parseAddress } from "../../src/storage/postgres/Address.js"
import { Storage } from "../../src/StorageLayers.js"
import { describePostgres, postgresUrl } from "../support/Postgres.js"
import { makeTcpProxy } from "../support/TcpProxy.js"

/** A storage on Postgres, and the way to it. */
const broken = Effect.gen(function*() {
  const url = Redacted.value(yield* postgresUrl)
  const proxy = yield* makeTcpProxy(Number(new URL(url).port))
  const storage = Storage.layerPostgres(Either.getOrThrow(parseAddress(proxy.via(url))))
  return { proxy, context: yield* Layer.build(Layer.provideMerge(Outbox.layer, storage)) }
})

describePostgres("a COMMIT whose answer did not come", () => {
  it.scopedLive("ends the leader's term once storage answers again, and no later term", () =>
    Effect.gen(function*() {
      const { context, proxy } = yield* broken
      yield* Effect.gen(function*() {
        const { sql, write } = yield* Storage
        const outbox = yield* Outbox
        const leads = (term: { readonly lost: Effect.Effect<string> }) =>
          Effect.map(Effect.timeoutOption(term.lost, "100 millis"), Option.isNone)

        yield* Effect.scoped(Effect.gen(function*() {
          const term = yield* outbox.becomeLeader({ holder: "first" })
          assert.isTrue(yield* leads(term))
          const error = yield* Effect.flip(write(Effect.zipRight(sql`SELECT 1`, proxy.cut)))
          assert.isTrue(error.unknown)
          yield* Effect.retry(write(sql`UPDATE plane_sync_sender SET pid = pid`), { times: 20 })
          assert.isFalse(yield* leads(term))
        }))
        yield* Effect.scoped(
          Effect.flatMap(
            outbox.becomeLeader({ holder: "second" }),
            (term) => Effect.map(leads(term), (does) => assert.isTrue(does))
          )
        )
      }).pipe(Effect.provide(context))
    }))
})
