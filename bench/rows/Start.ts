import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Array, Effect, Layer } from "effect"
import type { Row } from "../Figure.js"
import { Aim } from "../Figure.js"
import { stored } from "../FilledDatabase.js"
import { timed } from "../Pace.js"
import { temporaryDatabase } from "../Pipelines.js"
import { freePort } from "../Port.js"
import { programs, startProgram } from "../ProgramProcess.js"
import { median } from "../Statistics.js"

const owed = 100_000
const rounds = 5

/** How long the program is unavailable when it is started again. */
export const row: Row = {
  name: "start",
  description: "from start to GET /health with 100,000 events owed, beside a bare HttpApi with one SQLite connection",
  measure: Effect.gen(function*() {
    const file = yield* stored(owed)
    const empty = yield* temporaryDatabase
    const plane = yield* freePort
    const timeOf = (program: string, args: ReadonlyArray<string>, database: string) =>
      timed(Effect.scoped(startProgram(program, args, {
        ORCH_DATABASE_URL: database,
        ORCH_PLANE_API_URL: `http://127.0.0.1:${plane}`,
        ORCH_PLANE_API_TOKEN: "token"
      })))
    const round = Effect.all({
      ours: timeOf(programs.program, ["serve"], file),
      bare: timeOf(programs.bare, [], empty)
    })
    // The first start warms up: afterwards the files are in memory.
    yield* round
    const measured = yield* Effect.forEach(Array.range(1, rounds), () => round)
    return [{
      row: "start: to /health with 100,000 owed",
      value: median(Array.map(measured, ({ bare, ours }) => ours / bare)),
      unit: "× a bare HttpApi",
      aim: Aim.AtMost({ limit: 1.5 }),
      beside: {
        what: `ms by the bare HttpApi, ${Math.round(median(Array.map(measured, ({ ours }) => ours)))} by us`,
        value: median(Array.map(measured, ({ bare }) => bare))
      },
      means: "a restart is short, whatever has piled up"
    }]
  }).pipe(Effect.provide(Layer.merge(NodeContext.layer, NodeHttpClient.layer)))
}
