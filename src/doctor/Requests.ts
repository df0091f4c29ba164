import * as HttpClient from "@effect/platform/HttpClient"
import { Context, DateTime, Effect, Layer } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { epochMillis } from "../base/Time.js"

/** What the headers of an answer tell. */
export interface Answered {
  readonly method: string
  readonly url: string
  readonly status: number
  /** Our clock when the request was sent, and when the answer came. */
  readonly sentAt: EpochMillis
  readonly answeredAt: EpochMillis
  /** The sender's clock, in milliseconds; it is told in whole seconds. */
  readonly date: number | undefined
  /** What is left of the API token's requests in the window. */
  readonly remaining: number | undefined
  /** When the window ends, in seconds since 1970 by the sender's clock. */
  readonly reset: number | undefined
}

/** For one project. */
const forOne = 12
/** For each further project, and for each further API token. */
const perProject = 3
const perToken = 1
const mostOfAll = 30

/**
 * How many requests `doctor` sends at most to Plane and Gitea together. `asked`: how often members of a project are
 * asked for, which is one more for each.
 */
export const allowanceFor = (projects: number, tokens: number, asked: number): number =>
  Math.min(mostOfAll, forOne + perProject * (projects - 1) + perToken * Math.max(0, tokens - 1) + asked)

/** The requests of `doctor`: they are counted, and what the headers of their answers tell is kept. */
export class Requests extends Context.Tag("plane-sync/doctor/Requests")<Requests, {
  readonly sent: () => number
  /** Whether so many more may be sent. */
  readonly spare: (count: number) => boolean
  /** Why no more are sent, once all are. */
  readonly why: string
  readonly answers: () => ReadonlyArray<Answered>
}>() {
  /** With an `HttpClient` that sends `most` requests; more would be a mistake of a check. */
  static readonly layer = (
    most: number,
    why: string
  ): Layer.Layer<Requests | HttpClient.HttpClient, never, HttpClient.HttpClient> =>
    Layer.effectContext(Effect.map(HttpClient.HttpClient, (client) => {
      let sent = 0
      const answers: Array<Answered> = []
      const counting = HttpClient.transform(client, (asking, { method, url }) =>
        Effect.gen(function*() {
          sent += 1
          const sentAt = yield* epochMillis
          const response = yield* asking
          const { headers, status } = response
          answers.push({
            method,
            url,
            status,
            sentAt,
            answeredAt: yield* epochMillis,
            date: dateOf(headers["date"]),
            remaining: numberOf(headers["x-ratelimit-remaining"]),
            reset: numberOf(headers["x-ratelimit-reset"])
          })
          return response
        }))
      return Context.make(Requests, {
        sent: () => sent,
        spare: (count) => sent + count <= most,
        why,
        answers: () => answers
      }).pipe(Context.add(HttpClient.HttpClient, counting))
    }))
}

const numberOf = (header: string | undefined) =>
  header !== undefined && /^\d{1,12}$/.test(header) ? Number(header) : undefined

const dateOf = (header: string | undefined) => {
  const date = header === undefined ? NaN : Date.parse(header)
  return Number.isNaN(date) ? undefined : DateTime.toEpochMillis(DateTime.unsafeMake(date))
}
