import { Effect, Fiber, Scope } from "effect"

/**
 * Runs an effect in a scope of its own, which ends with the present one, and is closed by another fiber. Finalizers
 * that let themselves be interrupted do nothing in a fiber that was: `@effect/sql-pg` would leave its connections open.
 */
export const inOwnScope = <A, E, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, Exclude<R, Scope.Scope> | Scope.Scope> =>
  Effect.acquireRelease(
    Scope.make(),
    (scope, exit) => Effect.flatMap(Effect.forkDaemon(Scope.close(scope, exit)), Fiber.join)
  ).pipe(Effect.flatMap((scope) => Scope.extend(effect, scope)))
