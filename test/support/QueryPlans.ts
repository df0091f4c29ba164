import * as Statement from "@effect/sql/Statement"
import { Effect } from "effect"

// These tables have a handful of rows, however much is stored.
const small =
  /^SCAN (plane_sync_(count|folded|sender|replica|migrations|project)|json_each|(each|other|[pu]) VIRTUAL|\(subquery|CONSTANT|\d+-ROW)/

// Queries within a FROM, each cut by a LIMIT. What they read has steps of its own.
const ofFirst = /^SCAN (far|near|waiting)$/

// Migrations run once, and may read whole tables.
const ofMigrations =
  /^(UPDATE plane_sync_count SET events = \(SELECT count|SELECT key, plane_id AS "itemId" FROM plane_sync_task WHERE status <> 'done'|UPDATE plane_sync_lane SET (project = (substr.* WHERE work_item IS NULL$|coalesce)|owed = \(SELECT count|due_at = CASE owed WHEN 0|first_word = 0$)|UPDATE plane_sync_pull_request SET text_rank = 1,|UPDATE plane_sync_verdict SET since = at,|INSERT INTO plane_sync_(claim|repository) .* FROM plane_sync_pull_request|INSERT INTO plane_sync_\w+ SELECT .* FROM plane_sync_\w+_before$|(DELETE FROM|UPDATE) sqlite_sequence )/

// A project's identifier is changed by a person, and hardly ever.
const ofRenaming = /^UPDATE plane_sync_lane SET project = \? WHERE project = \?$/

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

  // Nearly all rows have one status. An index of it that is asked for nothing else is as good as none.
  const isByStatusAlone = (text: string, step: string) =>
    /^SEARCH \S+( AS \S+)? USING (COVERING )?INDEX \S+ \(status=\?\)$/.test(step) &&
    !/LIMIT|status = '(pending|active)'/.test(text)

  // A query within a FROM, whose reading has steps of its own; or a table of one row.
  const isOfQuery = (text: string, step: string) => {
    const [, name] = /^SCAN (\w+)$/.exec(step) ?? []
    return name !== undefined && new RegExp(`(\\)|plane_sync_sender) (AS )?${name}\\b`).test(text)
  }

  /** Steps that read a whole table, except those that match `inOrder`: they follow an index and are cut by a LIMIT. */
  const scans = (inOrder: RegExp) =>
    Array.from(plans).filter(([text]) =>
      ![ofMigrations, ofRenaming].some((rare) => rare.test(text.replace(/\s+/g, " ")))
    ).flatMap(([text, steps]) =>
      steps.filter((step) =>
        step.startsWith("SCAN") && !small.test(step) && !ofFirst.test(step) && !inOrder.test(step) &&
          !isOfQuery(text, step) ||
        isByStatusAlone(text, step)
      )
        .map((step) => `${step}: ${text.replace(/\s+/g, " ")}`)
    )

  return { plans, explaining, scans }
}
