import { Effect, Option, Schema } from "effect"
import type { Stage } from "../domain/Stage.js"
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

/** Fails when the pipeline of a project has no such stage. Which stages a project has that is not set, nobody knows. */
export const requireStage = (
  { of }: Pipeline["Type"],
  project: string,
  stage: Stage
): Effect.Effect<void, UnknownStage> =>
  Option.match(of(project), {
    onNone: () => Effect.void,
    onSome: ({ byName, names }) =>
      Option.isSome(byName(stage)) ? Effect.void : new UnknownStage({ stage, known: names })
  })
