import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import { Either, Schema } from "effect"
import { describeParseError } from "../base/Issue.js"
import { OffsetInstant } from "../domain/StageEvent.js"

/** Why the value of an option is refused. */
export const invalidOption = (message: string) => ValidationError.invalidValue(HelpDoc.p(message))

/** `--limit`: how many lines a list has at most. */
export const limit = Options.integer("limit").pipe(
  Options.withDescription("The most lines to show, 1 to 1000; default: 50"),
  Options.mapEffect((count) =>
    count >= 1 && count <= 1000
      ? Either.right(count)
      : Either.left(invalidOption(`--limit ${count} is not right: expected 1 to 1000`))
  ),
  Options.withDefault(50)
)

const instantOf = Schema.decodeEither(OffsetInstant)

/** `--since` and the like: an instant in ISO 8601 with an offset. */
export const instantOption = (name: string, description: string) =>
  Options.text(name).pipe(
    Options.withDescription(`${description}, in ISO 8601 with an offset`),
    Options.mapEffect((text) =>
      Either.mapLeft(instantOf(text), (error) => invalidOption(`--${name}: ${describeParseError(error)}`))
    ),
    Options.optional
  )

/** `--json`: a list in the form that `endpoint` answers. */
export const jsonLike = (endpoint: string) =>
  Options.boolean("json").pipe(Options.withDescription(`Print one JSON object per line, in the form of ${endpoint}`))
