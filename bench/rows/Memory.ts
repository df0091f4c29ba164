import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Command from "@effect/platform/Command"
import { Array, Data, Effect, Layer } from "effect"
import type { Row } from "../Figure.js"
import { Aim } from "../Figure.js"
import { stored } from "../FilledDatabase.js"
import { temporaryDatabase } from "../Pipelines.js"
import { freePort } from "../Port.js"
import { programs, startProgram } from "../ProgramProcess.js"
import { median } from "../Statistics.js"

const owed = 100_000
const rounds = 2
// Long enough for the first requests, for Plane to be found away, and for some probes.
const seconds = 5

class OtherLoad extends Data.TaggedError("OtherLoad")<{ readonly pending: number; readonly health: string }> {
  override get message(): string {
    return `There should be ${this.pending} events owed: ${this.health}`
  }
}

/** The resident set of a process, in MB: all the memory that the machine gives it, the database's cache included. */
const residentSet = (pid: number) =>
  Effect.map(Command.string(Command.make("ps", "-o", "rss=", "-p", String(pid))), (text) => Number(text) / 1_024)

/** How much memory a backlog takes. */
export const row: Row = {
  name: "memory",
  description: "resident memory of the program with 100,000 events owed and Plane away, beside nothing owed",
  measure: Effect.gen(function*() {
    const file = yield* stored(owed)
    const empty = yield* temporaryDatabase
    const plane = yield* freePort
    /** The most memory it takes, as seen four times a second. */
    const mostOf = (database: string, pending: number) =>
      Effect.scoped(Effect.gen(function*() {
        const { health, pid } = yield* startProgram(programs.program, ["serve"], {
          ORCH_DATABASE_URL: database,
          ORCH_PLANE_API_URL: `http://127.0.0.1:${plane}`,
          ORCH_PLANE_API_TOKEN: "token"
        })
        if (!health.includes(`"pending":${pending},`)) return yield* new OtherLoad({ pending, health })
        const seen = yield* Effect.forEach(
          Array.range(1, seconds * 4),
          () => Effect.delay(residentSet(pid), "250 millis")
        )
        return Math.max(...seen)
      }))
    const round = Effect.all({ full: mostOf(file, owed), empty: mostOf(empty, 0) })
    const measured = yield* Effect.forEach(Array.range(1, rounds), () => round)
    return [{
      row: "memory: 100,000 owed, Plane away",
      value: median(Array.map(measured, ({ empty, full }) => full - empty)),
      unit: "MB more resident memory",
      aim: Aim.AtMost({ limit: 40 }),
      beside: { what: "MB with nothing owed", value: median(Array.map(measured, ({ empty }) => empty)) },
      means: "an outage of Plane does not fill the machine's memory"
    }]
  }).pipe(Effect.provide(Layer.merge(NodeContext.layer, NodeHttpClient.layer)))
}
