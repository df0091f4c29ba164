import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Array, Clock, Data, Effect } from "effect"
import { StageEvents } from "../../src/events/StageEvents.js"
import type { Row } from "../Figure.js"
import { Aim } from "../Figure.js"
import { changed, spoken } from "../Load.js"
import { paced } from "../Pace.js"
import { delivered, pipeline } from "../Pipelines.js"
import { startWith } from "../SimulatorProcess.js"
import { percentile } from "../Statistics.js"

const quietItems = 1_000
const hotEvents = 10_000
// Each takes a look-up and a comment, far below what a Plane without a limit is sent in a second.
const perSecond = 40

class NeverTold extends Data.TaggedError("NeverTold")<{ readonly id: string }> {
  override get message(): string {
    return `Plane never recorded the comment of ${this.id}`
  }
}

const hot = `ET-${quietItems + 1}`

/**
 * How long the quiet work items' comments take from publish to record, when this many events of the hot one are
 * published first.
 */
const quietMillis = (events: number) =>
  Effect.scoped(Effect.gen(function*() {
    const plane = yield* startWith({ record: 20_000 })
    yield* Effect.forEach(Array.range(1, quietItems + 1), (n) => plane.addWorkItem(`Task ${n}`), {
      concurrency: 8,
      discard: true
    })
    const idOf = (index: number) => `quiet-${index}`
    const publishedAt = new Map<string, number>()
    yield* Effect.gen(function*() {
      const { publish } = yield* StageEvents
      yield* Effect.forEach(
        Array.makeBy(events, (index) => index),
        (index) => publish({ ...changed(index, 1), workItem: hot }),
        { concurrency: 500, discard: true }
      )
      yield* paced({
        count: quietItems,
        perSecond,
        each: (index) =>
          Effect.flatMap(Clock.currentTimeMillis, (now) => {
            publishedAt.set(idOf(index), now)
            return publish(spoken(`ET-${index + 1}`, idOf(index)))
          })
      })
      yield* delivered
    }).pipe(Effect.provide(pipeline({
      ORCH_PLANE_API_URL: plane.url,
      ORCH_PLANE_API_TOKEN: plane.token,
      ORCH_PLANE_RATE_LIMIT: "1000000/second"
    })))
    const recordedAt = new Map(
      (yield* plane.requests).filter(({ method }) => method === "POST").map((
        { answeredAt, body }
      ) => [/"external_id":"([^:"]+):/.exec(body)?.[1] ?? "", answeredAt])
    )
    const millis = yield* Effect.forEach(Array.range(0, quietItems - 1), (index) => {
      const id = idOf(index)
      const at = recordedAt.get(id)
      return at === undefined || at === null
        ? new NeverTold({ id })
        : Effect.succeed(at - (publishedAt.get(id) ?? at))
    })
    return percentile(millis, 0.99)
  }))

/** Whether one very busy work item holds up the others. */
export const row: Row = {
  name: "hot",
  description: "comments of 1,000 quiet work items beside a hot one with 10,000 events",
  measure: Effect.gen(function*() {
    const without = yield* quietMillis(0)
    const among = yield* quietMillis(hotEvents)
    return [{
      row: "hot: 1,000 quiet work items beside it",
      value: among / without,
      unit: "× their p99 without it",
      aim: Aim.AtMost({ limit: 2 }),
      beside: { what: `ms p99 without it, ${among} ms beside it`, value: without },
      means: "an agent in a loop delays nobody else's comments"
    }]
  }).pipe(Effect.provide(NodeHttpClient.layer))
}
