import { Schema } from "effect"

/** The variable in which the process of a run tells its workers what to test on. */
export const runVariable = "PLANE_SYNC_TEST_POSTGRES"

/** The choice of a run. Workers ask for the run's own server at `port`, which starts it at the first question. */
export const Run = Schema.Union(
  Schema.TaggedStruct("Given", { url: Schema.String }),
  Schema.TaggedStruct("Own", { port: Schema.Number }),
  Schema.TaggedStruct("None", { why: Schema.String })
)
export type Run = typeof Run.Type

/** Ends the name of a suite that is skipped because there is no Postgres. */
export const notOnPostgres = " (there is no Postgres)"

/** The one line that says what a run has not tested. */
export const skippedLine = (skipped: number, run: string | undefined): string => {
  const { why = "" } = Schema.decodeUnknownSync(
    Schema.parseJson(Schema.Struct({ why: Schema.optional(Schema.String) }))
  )(
    run ?? "{}"
  )
  return `NOT TESTED ON POSTGRES: ${skipped} tests are skipped, because ${why}`
}
