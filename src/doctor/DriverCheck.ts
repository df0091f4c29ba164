import { Effect, Option } from "effect"
import { driverFit } from "../storage/sqlite/Driver.js"
import type { Outcome } from "./Finding.js"
import { Failed, found, Passed, Skipped, Warned } from "./Finding.js"

/** Whether SQLite's driver fits this Node. */
export const checkDriver: Effect.Effect<Outcome<never>> = Effect.map(
  driverFit,
  Option.match({
    onNone: () => found(Skipped({ why: "the version of better-sqlite3 is not to be found" })),
    onSome: (fit) => {
      switch (fit._tag) {
        case "Fits":
          return found(Passed({ seen: fit.words }))
        case "MayAbort":
          return found(Warned({ seen: `${fit.words}: Node can abort the process at any moment`, mend: fit.mend }))
        case "Crashes":
          return found(Failed({ seen: `${fit.words}: it would crash`, mend: fit.mend }))
      }
    }
  })
)
