import { Option, Schema } from "effect"

/** The variable in which the process of a run tells its workers what to test on. */
export const runVariable = "PLANE_SYNC_TEST_POSTGRES"

/**
 * The choice of a run. Workers ask for the run's own server at `port`, which starts it at the first question.
 * The names of its databases begin with `prefix`.
 */
export const Run = Schema.Union(
  Schema.TaggedStruct("Given", { url: Schema.String, prefix: Schema.String }),
  Schema.TaggedStruct("Own", { port: Schema.Number, prefix: Schema.String }),
  Schema.TaggedStruct("None", { why: Schema.String })
)
export type Run = typeof Run.Type

/** Ends the name of a suite that is skipped because there is no Postgres. */
export const notOnPostgres = " (there is no Postgres)"

const Why = Schema.parseJson(Schema.Struct({ why: Schema.String }))

/** The one line that says what a run has not tested, by the variable's value. */
export const skippedLine = (skipped: number, run: string | undefined): string => {
  const why = Option.match(Schema.decodeUnknownOption(Why)(run), {
    onNone: () => "a given server is not stopped, and this machine has no Postgres of its own",
    onSome: ({ why }) => why
  })
  return `NOT TESTED ON POSTGRES: ${skipped} tests are skipped, because ${why}`
}
