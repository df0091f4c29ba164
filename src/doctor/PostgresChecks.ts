import { Effect } from "effect"
import { Migrations } from "../storage/Migrations.js"
import type { PostgresAddress } from "../storage/postgres/Address.js"
import type { LookedIntoPostgres } from "../storage/postgres/LookIntoPostgres.js"
import { databaseAddress } from "../storage/Storage.js"
import { loadClient } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import type { Finding, Outcome } from "./Finding.js"
import { Failed, found, having, Passed, Warned } from "./Finding.js"
import { toldByDatabase } from "./ToldByDatabase.js"

const setting = databaseAddress.definition.name

const refused = ({ reason, where, words }: StorageError): Finding =>
  Failed({
    seen: `${where}: ${words}`,
    mend: reason === "NoClient"
      ? "npm install @effect/sql-pg@^0.53"
      : `see that Postgres runs and is reached from here, and that ${setting} has the right user, password and database`
  })

/** What is known of a Postgres that could lose what it has accepted. */
const judgeServer = ({ durable, standbys, synchronous }: LookedIntoPostgres["server"]): ReadonlyArray<Finding> => [
  ...(standbys > 0 && synchronous === ""
    ? [Warned({
      seen:
        `${standbys} standby servers copy this Postgres a moment later: after a fail-over to one of them, the last ` +
        "events that were accepted can be missing",
      mend: "set synchronous_standby_names in postgresql.conf, so that a commit waits for a standby"
    })]
    : []),
  ...(durable === "off"
    ? [Warned({
      seen: "synchronous_commit is off: a crash of Postgres loses the last events that were accepted",
      mend: "set synchronous_commit = on in postgresql.conf"
    })]
    : [])
]

/** A Postgres: whether it answers and lets us in, the version of its tables, and whether it keeps what it accepts. */
export const checkPostgres = (
  address: PostgresAddress
): Effect.Effect<Outcome<LookedIntoPostgres>, never, Migrations> =>
  Effect.flatMap(Migrations, (migrations) => {
    const known = Object.keys(migrations).length
    const looked = Effect.flatMap(loadClient(address.where), ({ lookIntoPostgres }) =>
      lookIntoPostgres(address, toldByDatabase))
    return Effect.match(looked, {
      onFailure: (error) =>
        found(refused(error)),
      onSuccess: (looked) => {
        const { server, version } = looked
        const seen = `${address.where}, version ${server.version}, `
        if (version > known) {
          return found(Failed({
            seen: `${seen}its tables are of version ${version}, and this plane-sync knows ${known}`,
            mend: "run the newer version of plane-sync"
          }))
        }
        const passed = Passed({
          seen: version === 0
            ? `${seen}has no tables yet: they are made when plane-sync serve starts`
            : `${seen}its tables are of version ${version}` +
              (version < known ? `, and are brought to ${known} by the next start` : "")
        })
        return having(looked, passed, ...judgeServer(server))
      }
    })
  })
