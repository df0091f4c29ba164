import { Array, Data, Effect } from "effect"
import { StageEvents } from "../src/events/StageEvents.js"
import { changed } from "./Load.js"
import { timed } from "./Pace.js"
import { delivered, pipeline } from "./Pipelines.js"
import type { SimulatorProcess } from "./SimulatorProcess.js"

/** How many work items are told of in a round, each of one event. */
export const workItems = 500

/** A request was not answered as it should be. */
export class NotAnswered
  extends Data.TaggedError("NotAnswered")<{ readonly status: number | null; readonly path: string }>
{
  override get message(): string {
    return `${this.path} was answered ${String(this.status)}: the times of such requests mean nothing`
  }
}

/**
 * A round by the pipeline: the time from the first publish until Plane has all, what this process has computed for it,
 * and the requests that were sent. Each has new work items and a new file, so the keys must be found anew.
 */
export const toldRound = (plane: SimulatorProcess, round: number) =>
  Effect.gen(function*() {
    const from = round * workItems
    yield* Effect.forEach(Array.range(1, workItems), (n) => plane.addWorkItem(`Task ${from + n}`), { discard: true })
    const events = yield* StageEvents
    yield* plane.forgetRequests
    const before = process.cpuUsage()
    const millis = yield* timed(Effect.zipRight(
      Effect.forEach(
        Array.range(from, from + workItems - 1),
        (index) => events.publish(changed(index, from + workItems)),
        { concurrency: "unbounded", discard: true }
      ),
      delivered
    ))
    const { system, user } = process.cpuUsage(before)
    const requests = yield* plane.requests
    const refused = requests.find(({ status }) => status === null || status >= 300)
    if (refused !== undefined) return yield* new NotAnswered(refused)
    return { millis, cpuMillis: (system + user) / 1_000, requests }
  }).pipe(Effect.provide(pipeline({
    ORCH_PLANE_API_URL: plane.url,
    ORCH_PLANE_API_TOKEN: plane.token,
    ORCH_PLANE_RATE_LIMIT: "1000000/second"
  })))
