import type { SqlClient } from "@effect/sql/SqlClient"
import { SafeIntegers, TransactionConnection } from "@effect/sql/SqlClient"
import type { Connection, Row } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import { currentTransformer } from "@effect/sql/Statement"
import { Context, Effect, Effectable, Option } from "effect"

/** What a statement's parameter can be: what SQLite stores. */
export type Value = string | number | bigint | Uint8Array | null

/** A statement, or a part of one: its text, with a `?` for each parameter. */
export interface Fragment {
  readonly text: string
  readonly parameters: ReadonlyArray<Value>
}

/** Runs each time it is yielded, in the transaction that is open, if one is: `runOn` and `runBy` say which. */
export interface Statement<A> extends Fragment, Effect.Effect<ReadonlyArray<A>, SqlError> {}

/**
 * Statements as `@effect/sql` writes them, run by its connection: a value becomes a parameter, a fragment a part of the
 * text. `A` is what the author says of a row.
 *
 * Of its own, because `@effect/sql` gives each statement a span, a scope and a compiler's pass, which take several times as
 * long as the statement itself (`npm run bench -- parts`), and a request takes a dozen. Spans are those of the
 * transactions.
 */
export interface Sql {
  <A extends object = Row>(strings: TemplateStringsArray, ...values: ReadonlyArray<Value | Fragment>): Statement<A>
  /** Text as it stands. */
  readonly literal: (text: string) => Fragment
  readonly join: (separator: string, fragments: ReadonlyArray<Fragment>) => Fragment
}

/** Runs a statement: the author's word is the rows' type. */
type Run = <A extends object>(
  text: string,
  parameters: ReadonlyArray<Value>
) => Effect.Effect<ReadonlyArray<A>, SqlError>

/** A connection of `@effect/sql`, but for its `any`. */
interface Executes {
  readonly execute: <A>(
    text: string,
    parameters: ReadonlyArray<Value>,
    transformRows: undefined
  ) => Effect.Effect<ReadonlyArray<A>, SqlError>
}

/**
 * By the connection that is found for a fiber. Where a transformer is set, as a host may do, it is handed the client's own
 * statement.
 */
const runWith = (
  client: SqlClient,
  connectionOf: (context: Context.Context<never>) => Connection | undefined
): Run => {
  // Our columns have the names that we give them, whatever a host calls its own.
  const untransformed = client.withoutTransforms()
  return <A extends object>(text: string, parameters: ReadonlyArray<Value>) =>
    Effect.withFiberRuntime<ReadonlyArray<A>, SqlError>((fiber) => {
      const execute = (connection: Executes) => {
        const rows = connection.execute<A>(text, parameters, undefined)
        // The driver would go on with big integers, whoever runs the statement next.
        return Context.get(fiber.currentContext, SafeIntegers) ? Effect.provideService(rows, SafeIntegers, false) : rows
      }
      const connection = connectionOf(fiber.currentContext)
      if (Option.isNone(fiber.getFiberRef(currentTransformer))) {
        return connection === undefined
          ? Effect.scoped(Effect.flatMap(client.reserve, execute))
          : execute(connection)
      }
      const own = untransformed.unsafe<A>(text, parameters)
      return connection === undefined ? own : Effect.provideService(own, TransactionConnection, [connection, 0])
    })
}

/** By a client that others use as well: in the transaction that the caller has open, if there is one. */
export const runBy = (client: SqlClient): Run =>
  runWith(client, (context) => Option.getOrUndefined(Context.getOption(context, TransactionConnection))?.[0])

/**
 * By a client's only connection, which we have taken for ourselves: in the transaction that is open on it, whosever that
 * is, so a statement is only run in a turn of its own.
 */
export const runOn = (client: SqlClient, connection: Connection): Run => runWith(client, () => connection)

const isFragment = (value: Value | Fragment): value is Fragment =>
  typeof value === "object" && value !== null && "parameters" in value

const literal = (text: string): Fragment => ({ text, parameters: [] })

const join = (separator: string, fragments: ReadonlyArray<Fragment>): Fragment => ({
  text: fragments.map(({ text }) => text).join(separator),
  parameters: fragments.flatMap(({ parameters }) => parameters)
})

export const makeSql = (run: Run): Sql => {
  class SqlStatement<A extends object> extends Effectable.Class<ReadonlyArray<A>, SqlError> implements Statement<A> {
    constructor(readonly text: string, readonly parameters: ReadonlyArray<Value>) {
      super()
    }
    override commit(): Effect.Effect<ReadonlyArray<A>, SqlError> {
      return run<A>(this.text, this.parameters)
    }
  }

  const statement = <A extends object = Row>(
    strings: TemplateStringsArray,
    ...values: ReadonlyArray<Value | Fragment>
  ): Statement<A> => {
    let text = strings[0] ?? ""
    const parameters: Array<Value> = []
    for (const [index, value] of values.entries()) {
      if (isFragment(value)) {
        text += value.text
        parameters.push(...value.parameters)
      } else {
        text += "?"
        parameters.push(value)
      }
      text += strings[index + 1] ?? ""
    }
    return new SqlStatement<A>(text, parameters)
  }
  return Object.assign(statement, { literal, join })
}
