import type { SqlClient } from "@effect/sql/SqlClient"
import { TransactionConnection } from "@effect/sql/SqlClient"
import type { Row } from "@effect/sql/SqlConnection"
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

/** Runs each time it is yielded, in the transaction that is open, if one is. */
export interface Statement<A> extends Fragment, Effect.Effect<ReadonlyArray<A>, SqlError> {}

/**
 * Statements as `@effect/sql` writes them, run by its connection: a value becomes a parameter, a fragment a part of the
 * text. `A` is what the author says of a row.
 *
 * Of its own, because `@effect/sql` gives each statement a span, a scope and a compiler's pass, which take several times as
 * long as the statement itself (`npm run bench -- parts`), and a request takes a dozen. Spans are those of the
 * transactions. Where a transformer is set, as a host may do, it is handed the client's own statement.
 */
export interface Sql {
  <A extends object = Row>(strings: TemplateStringsArray, ...values: ReadonlyArray<Value | Fragment>): Statement<A>
  /** Text as it stands. */
  readonly literal: (text: string) => Fragment
  readonly join: (separator: string, fragments: ReadonlyArray<Fragment>) => Fragment
}

/** A connection of `@effect/sql`, but for its `any`: the author's word is the rows' type. */
interface Runs {
  readonly execute: <A>(
    text: string,
    parameters: ReadonlyArray<Value>,
    transformRows: undefined
  ) => Effect.Effect<ReadonlyArray<A>, SqlError>
}

const isFragment = (value: Value | Fragment): value is Fragment =>
  typeof value === "object" && value !== null && "parameters" in value

const literal = (text: string): Fragment => ({ text, parameters: [] })

const join = (separator: string, fragments: ReadonlyArray<Fragment>): Fragment => ({
  text: fragments.map(({ text }) => text).join(separator),
  parameters: fragments.flatMap(({ parameters }) => parameters)
})

export const makeSql = (client: SqlClient): Sql => {
  // Our columns have the names that we give them, whatever a host calls its own.
  const untransformed = client.withoutTransforms()

  class SqlStatement<A extends object> extends Effectable.Class<ReadonlyArray<A>, SqlError> implements Statement<A> {
    constructor(readonly text: string, readonly parameters: ReadonlyArray<Value>) {
      super()
    }
    override commit(): Effect.Effect<ReadonlyArray<A>, SqlError> {
      return Effect.withFiberRuntime<ReadonlyArray<A>, SqlError>((fiber) => {
        const { parameters, text } = this
        if (Option.isSome(fiber.getFiberRef(currentTransformer))) return untransformed.unsafe<A>(text, parameters)
        const execute = (connection: Runs) => connection.execute<A>(text, parameters, undefined)
        const open = Context.getOption(fiber.currentContext, TransactionConnection)
        return Option.isSome(open)
          ? execute(open.value[0])
          : Effect.scoped(Effect.flatMap(client.reserve, execute))
      })
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
