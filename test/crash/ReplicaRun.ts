import { Clock, Console, Duration, Effect, Random } from "effect"
import { together } from "../../demo/Judge.js"
import { choose, installed } from "../support/PostgresBinaries.js"
import { build } from "./Build.js"
import { settings } from "./Program.js"
import type { ReplicaResult } from "./ReplicaReport.js"
import { replicaClosing, replicaProblems, replicaRows, replicaTable } from "./ReplicaReport.js"
import * as Replicas from "./Replicas.js"
import type { Done } from "./ReplicaSteps.js"
import { acts, replicaSteps } from "./ReplicaSteps.js"
import { strainOf } from "./Report.js"
import { atOnce, mostWithin, staleOf, tooMany } from "./Stale.js"
import { dealt } from "./Steps.js"

/** The leader of the first destination is hardly ever left alone, so much is left to be told after many steps. */
const drainLimit = (kills: number) => Duration.max(Duration.minutes(4), Duration.seconds(3 * kills))

/** The whole run with several replicas on one Postgres. Its files go to `directory`. */
export const runReplicas = (
  options: {
    readonly kills: number
    readonly replicas: number
    readonly seed: number
    readonly directory: string
  }
) =>
  Effect.gen(function*() {
    const { directory, kills, seed } = options
    const begin = yield* Clock.currentTimeMillis
    const say = (text: string) =>
      Effect.flatMap(
        Clock.currentTimeMillis,
        (now) => Console.log(`${((now - begin) / 1000).toFixed(1).padStart(6)} s  ${text}`)
      )

    yield* say(`seed ${seed}, files in ${directory}`)
    const choice = choose(undefined, installed)
    if (choice._tag !== "Own") return yield* Effect.dieMessage(choice._tag === "None" ? choice.why : "")
    const built = yield* build
    const replicas = yield* Replicas.make({
      built,
      directory,
      seed,
      count: options.replicas,
      programs: choice.folder
    })
    yield* say(
      `${options.replicas} replicas on one Postgres, ${Replicas.items} work items of ${Replicas.projects.length} ` +
        `destinations; Plane takes ${Replicas.limit} requests a minute for each, and fails or is late at 15 of 100, ` +
        "at random; one of them edits one comment for a work item"
    )
    yield* say(
      Object.entries({ ...settings, ORCH_PLANE_RATE_LIMIT: `${Replicas.limit}/minute` })
        .map(([name, value]) => `${name.replace("ORCH_PLANE_", "")}=${value}`).join(", ")
    )

    const act = acts(replicas)
    const done: Array<Done> = []
    // All start at once on an empty database.
    const steps = Effect.zipRight(
      Effect.forEach(replicas.replicas, replicas.up, { concurrency: "unbounded" }),
      Effect.forEach(yield* dealt(replicaSteps, kills, seed), (step) =>
        Effect.gen(function*() {
          const from = yield* Clock.currentTimeMillis
          const made = yield* act(step)
          done.push(made)
          const number = `kill ${String(done.length).padStart(String(kills).length)} of ${kills}`
          const took = (((yield* Clock.currentTimeMillis) - from) / 1000).toFixed(1)
          yield* say(
            `${number}, ${made.step.padEnd(23)} ${took.padStart(4)} s, ${
              made.led ? "another leads" : "the same leads"
            }, ` +
              `accepted so far ${replicas.counts().accepted}`
          )
        }), { discard: true })
    ).pipe(Effect.withRandom(Random.make(`${seed}:kills`)), Effect.raceFirst(replicas.failed))
    yield* steps

    yield* say(`the last lives go on until nothing is owed: ${replicas.counts().accepted} accepted`)
    const { findings, isTold, planned, requests } = yield* replicas.drain(drainLimit(kills))
    yield* say(isTold ? "all is told" : `not all was told within ${Duration.format(drainLimit(kills))}`)

    const result: ReplicaResult = {
      rows: replicaRows(done),
      strain: strainOf(requests),
      counts: replicas.counts(),
      leaders: replicas.leaders(),
      findings: together(findings),
      ...staleOf(requests, planned),
      atOnce: atOnce(requests, new Set(planned.map(({ workItem }) => workItem))),
      exits: replicas.exits,
      tooMany: tooMany(requests),
      mostInMinute: Math.max(
        ...Replicas.projects.map(({ id }) => mostWithin(requests.filter(({ path }) => path.includes(id)), 60_000))
      ),
      limit: Replicas.limit,
      isTold
    }
    const problems = replicaProblems(result)
    const ended = {
      seconds: ((yield* Clock.currentTimeMillis) - begin) / 1000,
      table: replicaTable(result.rows),
      remark: [
        "The columns from “unclaimed” on count the kills of the leader that met such a thing: what the database and the",
        "simulator's records say. After a step of “another led”, another replica was the leader; a replica that is started",
        "again at once on the same machine leads again."
      ],
      lines: replicaClosing(result),
      failed: problems.length > 0
    }
    yield* Effect.forEach([...problems, ...ended.table, ...ended.lines], (line) => Console.log(line))
    return ended
  })
