import type { Scope } from "effect"
import { Context, Effect, Layer } from "effect"
import { makeSignal } from "../base/Signal.js"
import { epochMillis } from "../base/Time.js"
import { Storage } from "../storage/Storage.js"
import { WakeUps } from "../storage/WakeUps.js"
import type { Repository } from "./Facts.js"
import { stirRepositories } from "./RepositoryRows.js"

/**
 * More repositories than any program asks about. One that is left out is asked about in the next round all the same.
 */
const most = 10_000

/**
 * Repositories in which something has happened that no hook tells in full: a push, a run of Gitea's or Forgejo's
 * Actions. Each is a reason to ask Gitea. They gather in memory, because after a restart all are asked about.
 */
export class Stirs extends Context.Tag("plane-sync/Stirs")<Stirs, {
  /** Notes that something has happened. Also renews the repository's name. */
  readonly stir: (repository: Repository) => Effect.Effect<void>
  /** Waits until something has happened, and takes all repositories since the last time. Each is there once. */
  readonly take: Effect.Effect<ReadonlyArray<Repository>>
}>() {
  static readonly layer: Layer.Layer<Stirs> = Layer.effect(Stirs, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  const stirred = new Map<number, Repository>()
  const { mark, notify, since } = yield* makeSignal

  const taken = Effect.sync(() => {
    const all = Array.from(stirred.values())
    stirred.clear()
    return all
  })

  return Stirs.of({
    stir: (repository) =>
      Effect.suspend(() => {
        if (stirred.size < most || stirred.has(repository.id)) stirred.set(repository.id, repository)
        return notify
      }),
    take: Effect.gen(function*() {
      for (;;) {
        const before = yield* mark
        const all = yield* taken
        if (all.length > 0) return all
        yield* since(before)
      }
    })
  })
})

/** How long they gather before they are stored: a push is told by many hooks. */
const gatheringTime = "500 millis"

/** Has the repositories asked about in which something happens, until the scope closes. */
export const followStirs: Effect.Effect<void, never, Scope.Scope | Stirs | Storage | WakeUps> = Effect.gen(function*() {
  const { take } = yield* Stirs
  const { sql, trouble, write } = yield* Storage
  const wakeUps = yield* WakeUps
  const turn = Effect.gen(function*() {
    const repositories = yield* take
    const now = yield* epochMillis
    yield* trouble.retry(write(stirRepositories(sql, repositories, now)))
    yield* wakeUps.notify
    yield* Effect.sleep(gatheringTime)
  })
  yield* Effect.forkScoped(Effect.forever(turn))
})
