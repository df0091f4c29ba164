import { SqlError } from "@effect/sql/SqlError"
import { Effect, Predicate } from "effect"

/** What the driver of Postgres answers. Nothing checks the type of a row. */
interface Result<A extends object> {
  readonly rows: ReadonlyArray<A>
  readonly fields: ReadonlyArray<{ readonly name: string; readonly dataTypeID: number }>
}

const isResult = <A extends object>(answer: unknown): answer is Result<A> =>
  Predicate.hasProperty(answer, "rows") && Array.isArray(answer.rows) &&
  Predicate.hasProperty(answer, "fields") && Array.isArray(answer.fields)

// The types `bigint` and `numeric`.
const numbers = new Set([20, 1700])

const asNumber = (row: object, name: string) => {
  const value = Predicate.hasProperty(row, name) ? row[name] : null
  return typeof value === "string" ? Number(value) : value
}

/**
 * Runs a statement, and gives its numbers as numbers. The driver gives a `bigint` as a text, because it may be larger
 * than a number of JavaScript can tell; none of ours is. That is not left to the driver's settings, because a host has
 * its own.
 */
export const runOnPostgres = <A extends object>(
  executor: {
    readonly executeRaw: (text: string, parameters: ReadonlyArray<unknown>) => Effect.Effect<unknown, SqlError>
  },
  text: string,
  parameters: ReadonlyArray<unknown>
): Effect.Effect<ReadonlyArray<A>, SqlError> =>
  Effect.flatMap(executor.executeRaw(text, parameters), (answer) => {
    if (!isResult<A>(answer)) return new SqlError({ cause: answer, message: "the driver's answer has no rows" })
    const names = answer.fields.filter(({ dataTypeID }) => numbers.has(dataTypeID)).map(({ name }) => name)
    if (names.length === 0) return Effect.succeed(answer.rows)
    const withNumbers = (row: A) =>
      Object.assign(row, Object.fromEntries(names.map((name) => [name, asNumber(row, name)])))
    return Effect.succeed(answer.rows.map(withNumbers))
  })
