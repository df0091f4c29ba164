import { Context, Effect, Layer } from "effect"
import { makeSignal } from "../base/Signal.js"

/** A repository as a hook names it. */
export interface StirredRepository {
  readonly id: number
  /** "owner/name". */
  readonly name: string
}

/** More repositories than any program asks about. One that is left out is asked about in the next round all the same. */
const most = 10_000

/**
 * Repositories in which something has happened that no hook tells in full: a push, a run of Gitea's or Forgejo's
 * Actions. Each is a reason to ask Gitea. They are kept in memory only, because after a restart all are asked about.
 */
export class Stirs extends Context.Tag("plane-sync/Stirs")<Stirs, {
  /** Notes that something has happened. Also renews the repository's name. */
  readonly stir: (repository: StirredRepository) => Effect.Effect<void>
  /** Waits until something has happened, and takes all repositories since the last time. Each is there once. */
  readonly take: Effect.Effect<ReadonlyArray<StirredRepository>>
}>() {
  static readonly layer: Layer.Layer<Stirs> = Layer.effect(Stirs, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  const stirred = new Map<number, StirredRepository>()
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
