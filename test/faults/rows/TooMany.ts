import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { Clock, Effect, Schedule } from "effect"
import { Fault } from "../../../src/simulator/PlaneSimulator.js"
import type { Row } from "../Row.js"
import type { Scene } from "../Scene.js"
import { answered, hundredfold } from "./Fault.js"

// Requests that were on their way when the 429 was answered arrive within this, at most one for each other work item.
const underway = 500
const lanes = 2

/** One 429 with `header`. After it nothing may arrive for `waitMillis`. */
const once = (
  { check, plane, round, seen, told }: Scene,
  header: string | undefined,
  waitUntil: (answeredAt: number) => number
) =>
  Effect.gen(function*() {
    yield* round(1)
    yield* told()
    yield* plane.misbehave(Fault.TooMany({ count: 1, ...(header === undefined ? {} : { retryAfter: header }) }))
    yield* round(2)
    yield* told()
    const { requests } = yield* seen
    const answeredAt = requests.find(({ status }) => status === 429)?.answeredAt ?? 0
    const early = requests.filter(({ at }) => at > answeredAt && at < waitUntil(answeredAt) - 20)
    yield* check(
      early.length <= lanes && early.every(({ at }) => at <= answeredAt + underway),
      `${early.length} requests came before the time that 429 had named`
    )
    yield* check(requests.some(({ at }) => at >= waitUntil(answeredAt) - 20), "no request came after that time")
  })

const retryAfter = (name: string, shows: string, header: string | undefined, waitMillis: number): Row => ({
  name: `429-${name}`,
  shows,
  script: (scene) => once(scene, header, (answeredAt) => answeredAt + waitMillis),
  met: answered(429)
})

/** Plane's rate limit is used up. Nothing may be sent before the time that it names. */
export const tooMany: ReadonlyArray<Row> = [
  { ...retryAfter("seconds", "Retry-After: 2; nothing is sent for 2 s", "2", 2_000), ci: true },
  {
    name: "429-date",
    shows: "Retry-After is a date 2 to 3 s ahead; nothing is sent before",
    script: (scene) =>
      Effect.gen(function*() {
        // The first round is over in well under a second.
        const date = Math.ceil(((yield* Clock.currentTimeMillis) + 2_000) / 1_000) * 1_000
        yield* once(scene, new Date(date).toUTCString(), () => date)
      }),
    met: answered(429)
  },
  retryAfter("zero", "Retry-After: 0; a second all the same", "0", 1_000),
  retryAfter("negative", "Retry-After: -5; a second all the same", "-5", 1_000),
  {
    ...retryAfter(
      "enormous",
      "Retry-After: 1,000 days; 5 minutes (here 3 s: the clock runs 100 times as fast)",
      "86400000",
      3_000
    ),
    speed: 100,
    settings: hundredfold
  },
  retryAfter("absent", "no Retry-After; the limit's window (1 s)", undefined, 1_000),
  {
    name: "429-others",
    shows: "another client uses up the API token's 10 a second for 3 s",
    plane: { rateLimit: { limit: 10, windowMillis: 1_000 } },
    settings: { ORCH_PLANE_RATE_LIMIT: "10/second" },
    deadlineSeconds: 60,
    script: ({ over, plane, round }) =>
      Effect.gen(function*() {
        const client = yield* HttpClient.HttpClient
        const request = HttpClientRequest.get(`${plane.url}/api/v1/users/me/`).pipe(
          HttpClientRequest.setHeader("x-api-key", plane.token)
        )
        const other = Effect.scoped(client.execute(request)).pipe(Effect.repeat(Schedule.spaced("30 millis")))
        yield* round(1)
        yield* Effect.timeoutOption(Effect.zipRight(Effect.sleep("100 millis"), other), "3 seconds").pipe(
          Effect.zipLeft(over),
          Effect.zip(Effect.zipRight(Effect.sleep("500 millis"), round(2)), { concurrent: true })
        )
      }).pipe(Effect.orDie, Effect.provide(NodeHttpClient.layer)),
    met: ({ requests }) => requests.filter(({ kind, status }) => status === 429 && kind !== "me").length
  }
]
