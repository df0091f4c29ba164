import { SqlClient, TransactionConnection } from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import type { Scope } from "effect"
import { Duration, Effect } from "effect"
import { answeredWithin } from "../../base/AnsweredWithin.js"
import { makeSignal } from "../../base/Signal.js"
import { spanIfCollected } from "../../base/Tracing.js"
import type { Migrations } from "../Migrations.js"
import { retryBusy } from "../RetryBusy.js"
import { isBusy, isUnreachable, orStorageError, StorageError } from "../StorageError.js"
import { watchSchema } from "./SchemaWatch.js"

/** How long a caller waits, however often its transaction is tried. By then, it is told that storage fails. */
const patience = Duration.seconds(5)

/**
 * What Postgres itself limits, in a transaction: how long a statement may take, and how long the transaction may stand
 * still. The latter frees the rows that a process has locked which was stopped, or whose machine is gone.
 */
const limits = "SET LOCAL statement_timeout = '4s'; SET LOCAL idle_in_transaction_session_timeout = '10s'"

const execute = (connection: Connection, text: string): Effect.Effect<void, SqlError> =>
  Effect.asVoid(connection.executeUnprepared(text, [], undefined))

/** Transactions of our own on a Postgres. */
export interface Transactions {
  readonly write: <A>(effect: Effect.Effect<A, SqlError>) => Effect.Effect<A, StorageError>
  /** What is read in several statements is of one moment. */
  readonly read: <A>(effect: Effect.Effect<A, SqlError>) => Effect.Effect<A, StorageError>
  /** See `Storage.answersAgain`. */
  readonly answersAgain: Effect.Effect<void>
}

/** Runs transactions through a client, each answered in time, until a newer plane-sync changes the tables. */
export const makeTransactions = (
  where: string
): Effect.Effect<Transactions, never, Migrations | Scope.Scope | SqlClient> =>
  Effect.gen(function*() {
    const client = yield* SqlClient
    const typed = orStorageError(where)
    const refuseNewer = yield* watchSchema(where)
    const back = yield* makeSignal
    let isUnknown = false

    const spanned = spanIfCollected("sql.transaction", {
      kind: "client",
      captureStackTrace: false,
      attributes: { "db.system.name": "postgresql" }
    })

    // Not `client.withTransaction`: a connection that is cut within it is a defect there, and nothing tells whether that
    // was before the COMMIT. It would also join a transaction of a host that it finds in the fiber's context.
    const transaction = <A>(begin: string, effect: Effect.Effect<A, SqlError>): Effect.Effect<A, StorageError> =>
      Effect.suspend(() => {
        let isCommitting = false
        let inTheWay: StorageError | undefined
        const run = Effect.scoped(
          Effect.uninterruptibleMask((restore) =>
            // The client loses a connection for good if it is interrupted while it takes one.
            Effect.flatMap(client.reserve, (connection) =>
              execute(connection, `${begin}; ${limits}`).pipe(
                Effect.zipRight(restore(Effect.provideService(effect, TransactionConnection, [connection, 0]))),
                Effect.zipLeft(Effect.sync(() => {
                  isCommitting = true
                })),
                Effect.zipLeft(execute(connection, "COMMIT")),
                Effect.onError(() => Effect.ignore(execute(connection, "ROLLBACK")))
              ))
          )
        )
        const attempt = spanned(typed(run)).pipe(
          Effect.tapError((error) =>
            Effect.sync(() => {
              if (!isBusy(error)) return
              inTheWay = error
              isCommitting = false
            })
          )
        )
        const unknownIfCommitting = (error: StorageError) =>
          isCommitting && isUnreachable(error)
            ? new StorageError({ reason: error.reason, where, words: error.words, unknown: true, cause: error.cause })
            : error
        // What was in the way says more than that there was no answer, unless the COMMIT is under way.
        const late = () =>
          inTheWay !== undefined && !isCommitting
            ? inTheWay
            : new StorageError({ reason: "Unreachable", where, words: `no answer within ${Duration.format(patience)}` })
        return retryBusy(Effect.zipRight(refuseNewer, attempt)).pipe(
          Effect.mapError(unknownIfCommitting),
          // Taking a connection, and waiting for an answer, cannot be interrupted. Nor can a caller that commits a batch.
          answeredWithin({ duration: patience, onTimeout: () => unknownIfCommitting(late()) })
        )
      })

    const write = <A>(effect: Effect.Effect<A, SqlError>) =>
      transaction("BEGIN", effect).pipe(
        Effect.tapBoth({
          onSuccess: () => {
            if (!isUnknown) return Effect.void
            isUnknown = false
            return back.notify
          },
          onFailure: (error) =>
            Effect.sync(() => {
              isUnknown ||= error.unknown
            })
        })
      )

    return {
      write,
      read: (effect) => transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", effect),
      // From when it is asked on: a later term of the leader is not ended by what has ended an earlier one.
      answersAgain: Effect.flatMap(back.mark, back.since)
    }
  })
