import type * as HttpClient from "@effect/platform/HttpClient"
import { Context, Data, Effect, Layer, Option } from "effect"
import type { Scope } from "effect"
import type { Project } from "../domain/Project.js"
import { CurrentProject, currentProject, keptPlace } from "../plane/CurrentProject.js"
import type { Exchange } from "../plane/Exchange.js"
import { make as makeExchange } from "../plane/Exchange.js"
import type { FindError } from "../plane/FindByKey.js"
import { PlaneClient } from "../plane/PlaneClient.js"
import type { PlaneConfig } from "../plane/PlaneConfig.js"
import { RateBudget } from "../plane/RateBudget.js"
import { RateBudgets } from "../plane/RateBudgets.js"
import type { Finding } from "./Finding.js"
import { Failed, Skipped, Warned } from "./Finding.js"
import { Requests } from "./Requests.js"
import type { SeenProject, Surveyed } from "./Surveyed.js"
import { isOf } from "./Surveyed.js"

/** One project, and what asks Plane about it. */
export interface PlaneAccess {
  readonly current: CurrentProject["Type"]
  readonly exchange: Exchange
  readonly client: PlaneClient["Type"]
  /** What is known without a request. */
  readonly seen: SeenProject | undefined
  /**
   * Asks, if as many requests may still be sent, and the API token may send now: its rate limit is never waited for.
   */
  readonly ask: <A, E>(requests: number, asking: Effect.Effect<A, E>) => Effect.Effect<A, E | NotAsked>
}

/** Plane was not asked. */
export class NotAsked extends Data.TaggedError("NotAsked")<{ readonly why: string }> {}

/** A sentence that ends in what to do: "nothing listens there: check ORCH_PLANE_API_URL". */
export const splitAdvice = (sentence: string, otherwise: string): { readonly seen: string; readonly mend: string } => {
  const at = sentence.lastIndexOf(": ")
  return at === -1
    ? { seen: sentence, mend: otherwise }
    : { seen: sentence.slice(0, at), mend: sentence.slice(at + 2) }
}

/** Why there is no answer, as a finding. */
export const refusedBy = (error: FindError | NotAsked): Finding => {
  if (error._tag === "NotAsked") return Skipped({ why: error.why })
  if (error._tag !== "PlaneError") {
    return Failed({ seen: error.message, mend: "look at the key, and at the work item in Plane" })
  }
  const { message, method } = error
  const at = message.indexOf(` (${method} `)
  const { mend, seen } = splitAdvice(
    message.slice(0, at),
    "look at the server of Plane, its logs, and the proxy in front of it"
  )
  return error.reason === "RateLimited"
    ? Warned({
      seen: message,
      mend: "try again in a minute; if it stays so, others use this API token: make plane-sync one of its own"
    })
    : Failed({ seen: seen + message.slice(at), mend })
}

/** What asks Plane about a project, with the budget of its API token. */
export const planeAccess = (
  config: PlaneConfig,
  all: ReadonlyArray<Project>,
  project: Project,
  surveyed: Surveyed | undefined
): Effect.Effect<PlaneAccess, never, HttpClient.HttpClient | RateBudgets | Requests | Scope.Scope> =>
  Effect.gen(function*() {
    const current = currentProject(config, all, project, keptPlace(project, undefined))
    const { spare, why } = yield* Requests
    const budget = yield* (yield* RateBudgets).of(current.config.apiToken)
    const services = yield* Layer.build(
      Layer.provide(Layer.fresh(PlaneClient.layer), [
        Layer.succeed(CurrentProject, current),
        Layer.succeed(RateBudget, budget)
      ])
    )
    return {
      current,
      exchange: yield* Effect.provideService(makeExchange(current), RateBudget, budget),
      client: Context.get(services, PlaneClient),
      seen: surveyed !== undefined && isOf(surveyed, current.config)
        ? surveyed.projects.get(project.identifier)
        : undefined,
      ask: (requests, asking) =>
        Effect.gen(function*() {
          if (!spare(requests)) {
            return yield* new NotAsked({ why: `Plane is not asked, because ${why}` })
          }
          const { limit, pausedUntil, used } = yield* budget.status
          if (Option.isSome(pausedUntil) || used + requests > limit) {
            return yield* new NotAsked({
              why: "Plane is not asked, because the rate limit of the API token is used up: try again in a minute"
            })
          }
          return yield* asking
        })
    }
  })
