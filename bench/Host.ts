import * as NodeWorker from "@effect/platform-node/NodeWorker"
import * as Worker from "@effect/platform/Worker"
import type { WorkerError } from "@effect/platform/WorkerError"
import { Effect, Schema } from "effect"
import type { ParseResult, Scope } from "effect"
import { fork } from "node:child_process"
import { fileURLToPath } from "node:url"

/** What a host publishes by: with a pipeline, without, or by the bare driver of SQLite. */
export const Kind = Schema.Union(
  Schema.TaggedStruct("Pipeline", {
    file: Schema.String,
    settings: Schema.Record({ key: Schema.String, value: Schema.String })
  }),
  Schema.TaggedStruct("PublishingOnly", { file: Schema.String }),
  Schema.TaggedStruct("BareDriver", {})
)
export type Kind = typeof Kind.Type

/** Publishes so many events, so many a second, and tells the p99 of what each took, in milliseconds. */
export class Slice extends Schema.TaggedRequest<Slice>()("Slice", {
  failure: Schema.Never,
  success: Schema.Number,
  payload: { count: Schema.Int, perSecond: Schema.Number }
}) {}

export const KindArgument = Schema.parseJson(Kind)

const program = fileURLToPath(new URL("HostMain.js", import.meta.url))

/** Does a slice, and tells its p99. */
export type Host = (slice: Slice) => Effect.Effect<number, WorkerError | ParseResult.ParseError>

/** Starts a host in a process of its own. It ends with the scope. */
export const startHost = (kind: Kind): Effect.Effect<Host, WorkerError, Scope.Scope> =>
  Effect.map(
    Worker.makeSerialized<Slice>({}).pipe(
      Effect.provide(NodeWorker.layer(() =>
        fork(program, [Schema.encodeSync(KindArgument)(kind)], {
          // Nothing of the environment, and no `.env`.
          env: { PATH: process.env["PATH"] },
          stdio: ["ignore", "ignore", "inherit", "ipc"]
        })
      ))
    ),
    (worker) => (slice) => worker.executeEffect(slice)
  )
