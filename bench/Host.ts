import * as NodeWorker from "@effect/platform-node/NodeWorker"
import * as Worker from "@effect/platform/Worker"
import { Data, Deferred, Duration, Effect, Exit, Schema } from "effect"
import type { Scope } from "effect"
import { fork } from "node:child_process"
import { fileURLToPath } from "node:url"

/**
 * What a host publishes with, and the file that it publishes to: with a pipeline, without one, or by SQLite's bare
 * driver. A bystander only makes the event's JSON; another host only writes and syncs a page.
 */
export const Kind = Schema.Union(
  Schema.TaggedStruct("Bystander", {}),
  Schema.TaggedStruct("BareSync", { file: Schema.String }),
  Schema.TaggedStruct("Pipeline", {
    file: Schema.String,
    settings: Schema.Record({ key: Schema.String, value: Schema.String })
  }),
  Schema.TaggedStruct("PublishingOnly", { file: Schema.String }),
  Schema.TaggedStruct("BareDriver", { file: Schema.String })
)
export type Kind = typeof Kind.Type

/** What a slice has measured. */
export const Measured = Schema.Struct({
  /**
   * The p99, in milliseconds, of how long after its due time each event was committed. So the time that a busy event
   * loop keeps a publish waiting is part of it.
   */
  p99: Schema.Number,
  /** The median of the same. */
  p50: Schema.Number,
  /** The p99, in milliseconds, of how long a timer of one millisecond took. */
  loop: Schema.Number,
  /** How many were begun a second, of which all were committed. A host that is held up begins late. */
  perSecond: Schema.Number
})
type Measured = typeof Measured.Type

/** Publishes `count` events, `perSecond` a second. */
export class Slice extends Schema.TaggedRequest<Slice>()("Slice", {
  failure: Schema.Never,
  success: Measured,
  payload: { count: Schema.Int, perSecond: Schema.Number }
}) {}

export const KindArgument = Schema.parseJson(Kind)

class HostFailed extends Data.TaggedError("HostFailed")<{ readonly kind: Kind["_tag"]; readonly detail: string }> {
  override get message(): string {
    return `The host that publishes (${this.kind}) ${this.detail}`
  }
}

const program = fileURLToPath(new URL("HostMain.js", import.meta.url))

/** Starts a host in a separate process with these variables, which runs slices. It ends with the scope. */
export const startHost = (
  kind: Kind,
  env: Readonly<Record<string, string>> = {}
): Effect.Effect<(slice: Slice) => Effect.Effect<Measured, unknown>, unknown, Scope.Scope> =>
  Effect.gen(function*() {
    const failed = (detail: string) => new HostFailed({ kind: kind._tag, detail })
    const ended = yield* Deferred.make<never, HostFailed>()
    // Neither a start nor a slice learns from the worker that the process has ended, in words that a person could read.
    const unlessEnded = <A, E, R>(effect: Effect.Effect<A, E, R>, seconds: number) =>
      Effect.raceFirst(effect, Deferred.await(ended)).pipe(
        Effect.timeoutFail({
          duration: Duration.seconds(seconds),
          onTimeout: () => failed(`did not answer for ${seconds} seconds`)
        })
      )
    const spawn = () => {
      // Nothing of the environment is passed on, and its output stays out of our table.
      const child = fork(program, [Schema.encodeSync(KindArgument)(kind)], {
        env: { ...env, PATH: process.env["PATH"] },
        stdio: ["ignore", process.stderr, "inherit", "ipc"]
      })
      const end = (detail: string) => Deferred.unsafeDone(ended, Exit.fail(failed(detail)))
      child.once("error", (error) => end(`did not start: ${error.message}`))
      child.once("exit", (code, signal) => end(`ended with ${String(code ?? signal)}`))
      return child
    }
    const worker = yield* unlessEnded(
      Effect.provide(Worker.makeSerialized<Slice>({}), NodeWorker.layer(spawn)),
      60
    )
    // A slow disk does not keep the pace, so more time is allowed.
    return (slice) => unlessEnded(worker.executeEffect(slice), 60 + 10 * slice.count / slice.perSecond)
  })
