import { Config, Either } from "effect"
import type { Accepted } from "../base/Setting.js"
import { defineSetting, duration, given, integer, unset } from "../base/Setting.js"

/** What a task may take before somebody is asked. Undefined: any amount. */
export interface Ceilings {
  /** At one stage. */
  readonly attempts: number | undefined
  /** Active, in all stages. */
  readonly hours: number | undefined
  /** In and out, of all models. */
  readonly tokens: number | undefined
  readonly costUsd: number | undefined
}

const dollars: Accepted<number> = {
  expected: "dollars from 0.01 to 1000000, like \"25\" or \"2.50\"",
  parse: (text) => {
    const value = Number(text)
    return /^\d+(\.\d{1,6})?$/.test(text) && value >= 0.01 && value <= 1_000_000
      ? Either.right(value)
      : Either.left(`${given(text)} is not right`)
  }
}

const noCeiling = unset<number | undefined>(undefined, "not set: no ceiling")

/** The settings of when somebody is asked, and who. */
export const peopleSettings = {
  attempts: defineSetting<number | undefined>({
    name: "ORCH_CEILING_ATTEMPTS",
    about: "At so many attempts at one stage a task waits for somebody. It goes on all the same.",
    accepts: integer(1, 1_000),
    default: noCeiling
  }),
  hours: defineSetting<number | undefined>({
    name: "ORCH_CEILING_HOURS",
    about: "After so many hours, in all stages together, a task waits for somebody. It goes on all the same.",
    accepts: integer(1, 100_000),
    default: noCeiling
  }),
  tokens: defineSetting<number | undefined>({
    name: "ORCH_CEILING_TOKENS",
    about: "After so many reported tokens, in and out, a task waits for somebody. It goes on all the same.",
    accepts: integer(1, 1_000_000_000_000),
    default: noCeiling
  }),
  costUsd: defineSetting<number | undefined>({
    name: "ORCH_CEILING_COST",
    about: "After so many reported dollars a task waits for somebody. It goes on all the same.",
    accepts: dollars,
    default: noCeiling
  }),
  attentionAfter: defineSetting({
    name: "ORCH_ATTENTION_AFTER",
    about: "After this time without an answer the next of ORCH_ATTENTION is asked.",
    accepts: duration("1 minute", "30 days", "4 hours"),
    default: "4 hours"
  })
}

const { attentionAfter, ...ceilings } = peopleSettings

export const ceilingsConfig: Config.Config<Ceilings> = Config.all(ceilings)

export { attentionAfter }
