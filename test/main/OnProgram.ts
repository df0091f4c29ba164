import { afterAll, it } from "@effect/vitest"
import { Effect, Exit, Layer, Scope } from "effect"
import { Program } from "./Child.js"

interface OnProgram {
  readonly scoped: (
    name: string,
    run: () => Effect.Effect<void, unknown, Program | Scope.Scope>,
    timeout?: number
  ) => void
}

/**
 * Tests of the built program, by the real clock. Not by `layer` of @effect/vitest: that one changes the `it` of all test
 * files in the same process.
 */
export const onProgram = (tests: (it: OnProgram) => void): void => {
  const scope = Effect.runSync(Scope.make())
  const program = Effect.runSync(Effect.cached(Layer.buildWithScope(Program.layer, scope)))
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  tests({
    scoped: (name, run, timeout) =>
      it.scopedLive(
        name,
        () => Effect.flatMap(program, (context) => Effect.provide(Effect.suspend(run), context)),
        timeout
      )
  })
}
