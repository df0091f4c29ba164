import type { Redacted } from "effect"
import { Context, Effect, Layer, Redacted as Secret } from "effect"
import type { ConfigError } from "effect"
import type { RateLimit } from "./PlaneConfig.js"
import { sendingSettings } from "./PlaneConfig.js"
import type { RateBudget } from "./RateBudget.js"
import { makeRateBudget } from "./RateBudget.js"

/**
 * How many slots are kept for the first words of new tasks, of which each takes three requests. Of a small budget none
 * are: too few would be left for all others.
 */
const keptOf = ({ requests }: RateLimit) => requests < 30 ? 0 : Math.floor(requests / 10)

/** A budget for each API token, because Plane counts the requests of a token, whatever project they are about. */
export class RateBudgets extends Context.Tag("plane-sync/RateBudgets")<RateBudgets, {
  readonly of: (apiToken: Redacted.Redacted) => Effect.Effect<RateBudget["Type"]>
}>() {
  /** Each by `ORCH_PLANE_RATE_LIMIT`. */
  static readonly layer: Layer.Layer<RateBudgets, ConfigError.ConfigError> = Layer.effect(
    RateBudgets,
    Effect.map(sendingSettings.rateLimit, (limit) => {
      const budgets = new Map<string, RateBudget["Type"]>()
      return {
        of: (apiToken) =>
          Effect.suspend(() => {
            const token = Secret.value(apiToken)
            const known = budgets.get(token)
            return known !== undefined
              ? Effect.succeed(known)
              : Effect.tap(makeRateBudget(limit, keptOf(limit)), (budget) =>
                Effect.sync(() => budgets.set(token, budget)))
          })
      }
    })
  )
}
