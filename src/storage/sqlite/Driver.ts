import { Data, Effect, Option, Schema } from "effect"
import * as Module from "node:module"
import { StorageError } from "../StorageError.js"

/**
 * Where SQLite's driver is: the one that the client's package has. A host may have another one, and two in one process
 * would not see each other's locks.
 */
export const driverPath = (): string => {
  // Not at the top: within a bundle of CommonJS there is no such address, and nothing of ours may fail by that.
  const here = Module.createRequire(import.meta.url)
  try {
    return Module.createRequire(here.resolve("@effect/sql-sqlite-node")).resolve("better-sqlite3")
  } catch {
    return here.resolve("better-sqlite3")
  }
}

/**
 * What a version of better-sqlite3 does on a version of Node, each like "24.19.0".
 *
 * - `Crashes`: 13 needs what Node has from 22 on, and ends an older one by a segmentation fault.
 * - `MayAbort`: from 24.19 on Node aborts the process when an older driver lets a statement go, at any moment.
 * - `Fits`: neither.
 */
export type DriverFit = Data.TaggedEnum<{
  Crashes: { readonly words: string; readonly mend: string }
  MayAbort: { readonly words: string; readonly mend: string }
  Fits: { readonly words: string }
}>
const { $is, Crashes, Fits, MayAbort } = Data.taggedEnum<DriverFit>()

// The client's package does not ask for the newer driver yet, so only the root of an installation can.
const takeNewer = "npm pkg set overrides.better-sqlite3=^13 && npm install"
const takeOlder = "npm pkg delete overrides.better-sqlite3 && npm install"

/** Judges a pair of versions. */
export const judgeDriver = (driver: string, node: string): DriverFit => {
  const [major = 0, minor = 0] = node.split(".").map(Number)
  const words = `better-sqlite3 ${driver} on Node ${node}`
  if (Number.parseInt(driver, 10) >= 13) {
    return major < 22
      ? Crashes({ words, mend: `take Node 22 or newer, or ${takeOlder}` })
      : Fits({ words })
  }
  return major > 24 || (major === 24 && minor >= 19) ? MayAbort({ words, mend: takeNewer }) : Fits({ words })
}

const decode = Schema.decodeUnknownOption(Schema.Struct({ version: Schema.String }))

/** How the driver that is installed fits this Node. None where its version is not to be found, as in a bundle. */
export const driverFit: Effect.Effect<Option.Option<DriverFit>> = Effect.sync(() =>
  Option.map(
    Option.flatMap(
      Option.liftThrowable((): unknown => Module.createRequire(driverPath())("better-sqlite3/package.json"))(),
      decode
    ),
    ({ version }) => judgeDriver(version, process.versions.node)
  )
)

/** Fails where loading the driver would end the process without a word. */
export const refuseOldNode = (where: string): Effect.Effect<void, StorageError> =>
  Effect.flatMap(driverFit, (fit) =>
    Option.match(Option.filter(fit, $is("Crashes")), {
      onNone: () => Effect.void,
      onSome: ({ mend, words }) => new StorageError({ reason: "OldNode", where, words: `${words}: ${mend}` })
    }))

/** Warns where Node can abort the process. */
export const warnOfAbort: Effect.Effect<void> = Effect.flatMap(
  driverFit,
  (fit) =>
    Option.match(Option.filter(fit, $is("MayAbort")), {
      onNone: () => Effect.void,
      onSome: ({ mend, words }) =>
        Effect.logWarning(`Node can abort this process at any moment, because of ${words}: run \`${mend}\``)
    })
)
