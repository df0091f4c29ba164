import { Effect, Schema } from "effect"
import { echoed } from "../base/Issue.js"
import { WorkItemKey, WorkItemKeyText } from "../domain/WorkItemKey.js"

/** A whole number in a path or a query. */
export const wholeNumber = (least: number, most: number) =>
  Schema.NumberFromString.pipe(
    Schema.int(),
    Schema.between(least, most),
    Schema.annotations({
      description: `a whole number from ${least} to ${most}`,
      jsonSchema: { type: "integer", minimum: least, maximum: most },
      message: ({ actual }) => ({
        message: `${echoed(actual)} is not right: expected a whole number from ${least} to ${most}`,
        override: true
      })
    })
  )

/** A field that may be left out. */
export const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

/** One of a few words. `what` names them in a message: "a status". */
export const oneOf = <L extends readonly [string, ...Array<string>]>(what: string, schema: Schema.Literal<[...L]>) =>
  schema.annotations({
    message: ({ actual }) => ({
      message: `${echoed(actual)} is not ${what}: expected one of ${schema.literals.join(", ")}`,
      override: true
    })
  })

/** The parameters of a query. A message names all that are wrong. */
export const queryOf = <F extends Schema.Struct.Fields>(fields: F) =>
  Schema.Struct(fields).annotations({ parseOptions: { errors: "all" } })

/** The work item's key in a path. */
export const KeyPath = Schema.Struct({ key: WorkItemKeyText })

/** Parses a key that the request's schema has checked already. */
export const keyOf = (text: string): Effect.Effect<WorkItemKey> =>
  Effect.orDieWith(WorkItemKey.parse(text), (why) => new Error(why))
