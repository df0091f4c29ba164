import { Effect } from "effect"

/**
 * One read at a time for all who ask. Those who ask while one is under way share the next one, because what it reads
 * may have changed already: nobody is given what was read before it asked.
 */
export const makeSharedRead = <A, E, R>(read: Effect.Effect<A, E, R>): Effect.Effect<Effect.Effect<A, E, R>> =>
  Effect.map(Effect.makeSemaphore(1), (turn) => {
    let begun = 0
    let last: { readonly begun: number; readonly value: A } | undefined
    const next = Effect.suspend(() => {
      const number = ++begun
      return Effect.tap(read, (value) =>
        Effect.sync(() => {
          last = { begun: number, value }
        }))
    })
    return Effect.suspend(() => {
      const before = begun
      return turn.withPermits(1)(
        Effect.suspend(() => last !== undefined && last.begun > before ? Effect.succeed(last.value) : next)
      )
    })
  })
