import * as Statement from "@effect/sql/Statement"
import { Effect } from "effect"

// A table of a handful of rows, whatever is stored.
const small = /^SCAN (plane_sync_(count|folded|sender|migrations)|json_each|u VIRTUAL|\(subquery|CONSTANT|\d+-ROW)/

/** Collects every statement that is run, with the steps of its plan. */
export const makePlans = () => {
  const plans = new Map<string, ReadonlyArray<string>>()

  const explaining = Statement.withTransformer((statement, sql) =>
    Effect.gen(function*() {
      const [text, params] = statement.compile()
      if (/^\s*(SELECT|INSERT|UPDATE|DELETE)/i.test(text) && !plans.has(text)) {
        const steps = yield* sql.unsafe<{ detail: string }>(`EXPLAIN QUERY PLAN ${text}`, params).pipe(
          Statement.withTransformerDisabled,
          Effect.orDie
        )
        plans.set(text, steps.map(({ detail }) => detail))
      }
      return statement
    })
  )

  /** Steps that read a table from end to end, but for `inOrder`: those in the order of an index and cut by a LIMIT. */
  const scans = (inOrder: RegExp) =>
    Array.from(plans).flatMap(([text, steps]) =>
      steps.filter((step) => step.startsWith("SCAN") && !small.test(step) && !inOrder.test(step))
        .map((step) => `${step}: ${text.replace(/\s+/g, " ")}`)
    )

  return { plans, explaining, scans }
}
