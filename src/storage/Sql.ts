import type { SqlClient } from "@effect/sql/SqlClient"
import { SafeIntegers, TransactionConnection } from "@effect/sql/SqlClient"
import type { Connection, Row } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import type * as Client from "@effect/sql/Statement"
import { currentTransformer, FragmentId, join } from "@effect/sql/Statement"
import { Context, Effect, Effectable, Option } from "effect"
import type { Dialect } from "./Dialect.js"
import { dialectOf } from "./Dialect.js"
import { runOnPostgres } from "./postgres/Numbers.js"

/** What a parameter of a statement can be: what SQLite stores. */
export type Value = string | number | bigint | Uint8Array | null

/** A part of a statement. It becomes part of the text of the statement it is put into. */
export type Fragment = Client.Fragment

/** Runs each time it is yielded. It is also a fragment, so that it can be put into another statement. */
export interface Statement<A> extends Fragment, Effect.Effect<ReadonlyArray<A>, SqlError> {}

/**
 * Builds statements with `@effect/sql`'s template: a value becomes a parameter, a fragment becomes part of the text.
 * `A` is the type of a row; nothing checks it.
 *
 * A statement of `@effect/sql` opens a span and a scope each time it runs, which takes four times as long as the rest
 * (`npm run bench -- parts`), and a request needs a dozen statements. So ours are compiled by the client and run on a
 * connection that is already taken. Only transactions have spans.
 */
export interface Sql extends Dialect {
  <A extends object = Row>(strings: TemplateStringsArray, ...values: ReadonlyArray<Value | Fragment>): Statement<A>
  /** The text itself, not a parameter. */
  readonly literal: (text: string) => Fragment
  readonly join: (separator: string, fragments: ReadonlyArray<Fragment>) => Fragment
}

/** A connection of `@effect/sql`, without its `any`. */
interface Executor {
  readonly execute: <A>(
    text: string,
    parameters: ReadonlyArray<unknown>,
    transformRows: undefined
  ) => Effect.Effect<ReadonlyArray<A>, SqlError>
  readonly executeRaw: (text: string, parameters: ReadonlyArray<unknown>) => Effect.Effect<unknown, SqlError>
}

/** Runs the text of a statement on a connection. */
type Run = <A extends object>(
  executor: Executor,
  text: string,
  parameters: ReadonlyArray<unknown>
) => Effect.Effect<ReadonlyArray<A>, SqlError>

const runOnSqlite: Run = (executor, text, parameters) => executor.execute(text, parameters, undefined)

/**
 * Takes a connection for one statement. The client of Postgres loses a connection for good if it is interrupted while
 * it takes one, so there whoever gives up leaves the taking behind.
 */
const onTaken = <A>(client: SqlClient, use: (connection: Connection) => Effect.Effect<A, SqlError>) =>
  client.onDialectOrElse({
    pg: () =>
      Effect.disconnect(
        Effect.uninterruptibleMask((restore) =>
          Effect.scoped(Effect.flatMap(client.reserve, (connection) => restore(use(connection))))
        )
      ),
    orElse: () => Effect.scoped(Effect.flatMap(client.reserve, use))
  })

type ConnectionOf = (context: Context.Context<never>) => Connection | undefined

const run = <A extends object>(
  client: SqlClient,
  runOn: Run,
  connectionOf: ConnectionOf,
  statement: Client.Statement<A>
) =>
  Effect.withFiberRuntime<ReadonlyArray<A>, SqlError>((fiber) => {
    const connection = connectionOf(fiber.currentContext)
    // A host may set a transformer for its statements. It is given the client's own statement, which calls it.
    if (Option.isSome(fiber.getFiberRef(currentTransformer))) {
      return connection === undefined
        ? statement
        : Effect.provideService(statement, TransactionConnection, [connection, 0])
    }
    const execute = (executor: Executor) => {
      const [text, parameters] = statement.compile()
      const rows = runOn<A>(executor, text, parameters)
      // The driver keeps this setting with the prepared statement, so a host's would stay for everybody who runs it
      // later.
      return Context.get(fiber.currentContext, SafeIntegers) ? Effect.provideService(rows, SafeIntegers, false) : rows
    }
    return connection === undefined ? onTaken(client, execute) : execute(connection)
  })

const makeSql = (client: SqlClient, connectionOf: ConnectionOf): Sql => {
  // Our columns keep the names we give them, also where a host's client renames its own.
  const untransformed = client.withoutTransforms()
  const runOn = client.onDialectOrElse({ pg: () => runOnPostgres, orElse: () => runOnSqlite })

  class TakenStatement<A extends object> extends Effectable.Class<ReadonlyArray<A>, SqlError> implements Statement<A> {
    readonly [FragmentId]: Fragment[typeof FragmentId]
    readonly segments: ReadonlyArray<Client.Segment>
    constructor(readonly statement: Client.Statement<A>) {
      super()
      this[FragmentId] = statement[FragmentId]
      this.segments = statement.segments
    }
    override commit() {
      return run(client, runOn, connectionOf, this.statement)
    }
  }

  const template = Object.assign(
    <A extends object = Row>(strings: TemplateStringsArray, ...values: ReadonlyArray<Value | Fragment>) =>
      new TakenStatement(untransformed<A>(strings, ...values)),
    {
      literal: untransformed.literal,
      join: (separator: string, fragments: ReadonlyArray<Fragment>) => join(separator, false)(fragments)
    }
  )
  return Object.assign(template, dialectOf(client, template))
}

/** For a client that others use too. A statement runs in the transaction that its caller has open, if there is one. */
export const makeSharedSql = (client: SqlClient): Sql =>
  makeSql(client, (context) => Option.getOrUndefined(Context.getOption(context, TransactionConnection))?.[0])

/**
 * For a client whose only connection we have taken. A statement runs in whatever transaction is open on that
 * connection, so the caller must make sure that the connection is its own meanwhile.
 */
export const makeOwnSql = (client: SqlClient, connection: Connection): Sql => makeSql(client, () => connection)
