import * as FileSystem from "@effect/platform/FileSystem"
import { Array, Effect } from "effect"
import { stages } from "../../src/domain/Stage.js"

/** The id in Plane of the `n`th project, which tells this number. */
export const projectId = (n: number) => `${n.toString(16).padStart(8, "0")}-0000-4000-8000-000000000000`

/** The API token of the `n`th project. */
export const tokenOf = (n: number) => `plane_api_bench_${n}`

/**
 * A file of settings with the projects D1, D2, …, each with an API token of its own: a token is a destination, with a
 * budget and a leader of its own. Returns the variables that a process needs for it.
 */
export const destinations = (folder: string, numbers: ReadonlyArray<number>) =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const file = `${folder}/plane-sync-${numbers.join("-").slice(0, 40)}.json`
    const projects = Object.fromEntries(
      numbers.map((n) => [`D${n}`, { id: projectId(n), apiToken: `BENCH_TOKEN_${n}` }])
    )
    yield* files.writeFileString(file, JSON.stringify({ workspace: "bench", projects }))
    const tokens = Object.fromEntries(numbers.map((n) => [`BENCH_TOKEN_${n}`, tokenOf(n)]))
    return { ORCH_CONFIG: file, ...tokens }
  })

/** The projects 1 to `count`. */
export const first = (count: number) => Array.range(1, count)

/** The JSON of an event: the task of this number is begun. Plane is sent a look-up, a state and a comment for it. */
export const begun = (project: number, number: number) =>
  JSON.stringify({
    type: "stage_changed",
    workItem: `D${project}-${number}`,
    from: stages[0],
    to: stages[1],
    agent: "developer"
  })
