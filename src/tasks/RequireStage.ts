import { Effect, Either, Option, Schema } from "effect"
import type { Stage } from "../domain/Stage.js"
import { WorkItemKey } from "../domain/WorkItemKey.js"
import { readProject } from "../outbox/ItemKeys.js"
import type { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import type { Pipeline } from "./Pipeline.js"

/** The pipeline has no stage of this name. */
export class UnknownStage extends Schema.TaggedError<UnknownStage>()("UnknownStage", {
  stage: Schema.String,
  known: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `${JSON.stringify(this.stage.slice(0, 80))} is not a stage: expected one of ${this.known.join(", ")}`
  }
}

/**
 * Makes what fails when the pipeline of a key's project has no such stage. Of what is no key, and of a project that is
 * not set, nobody has a task, which is said by whoever looks for that.
 */
export const makeRequireStage = (
  { read, sql }: Pick<Storage["Type"], "read" | "sql">,
  pipelines: Pipeline["Type"]
) =>
(key: string, stage: Stage): Effect.Effect<void, StorageError | UnknownStage> =>
  Effect.gen(function*() {
    const parsed = WorkItemKey.parse(key)
    if (Either.isLeft(parsed)) return
    const pipeline = pipelines.of(yield* read(readProject(sql, { itemId: undefined, key: parsed.right })))
    if (Option.isSome(pipeline) && Option.isNone(pipeline.value.byName(stage))) {
      return yield* new UnknownStage({ stage, known: pipeline.value.names })
    }
  })
