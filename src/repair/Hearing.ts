import type { SqlError } from "@effect/sql/SqlError"
import { Duration, Effect } from "effect"
import { EpochMillis, later } from "../base/Time.js"
import type { StateChange } from "../outbox/StateChanges.js"
import type { Sql } from "../storage/Sql.js"
import type { HookNews } from "../webhooks/HookNews.js"

/** What is known of the webhook of a workspace in Plane. */
export interface Hearing {
  /** The last hook that was looked at, by its id. */
  readonly hook: number
  /** When a hook of the workspace came last. 0: never. */
  readonly heardAt: EpochMillis
  /** Whether a hook has ever told of a state that we had set: older versions of Plane tell only what people do. */
  readonly echoes: boolean
  /** How many states of ours in a row no hook came after. */
  readonly misses: number
  /** Up to which moment our states are judged. */
  readonly judgedAt: EpochMillis
  /** Since when the webhook is taken to be off. */
  readonly silentSince: EpochMillis | undefined
}

/** Of a workspace of which nothing is known yet. What was sent before `now` is not judged. */
export const unheard = (now: EpochMillis): Hearing => ({
  hook: 0,
  heardAt: EpochMillis(0),
  echoes: false,
  misses: 0,
  judgedAt: now,
  silentSince: undefined
})

/** How long Plane may take to send a hook about a state that we have set. */
export const echoWithin = Duration.minutes(5)

/** So many states in a row without a hook say that the webhook is off. */
export const mostMisses = 3

/** Hooks of the workspace have come, in order. `changes` are states of ours that they may echo. */
export const heard = (
  hearing: Hearing,
  hooks: ReadonlyArray<HookNews>,
  changes: ReadonlyArray<StateChange>
): Hearing => {
  const last = hooks.at(-1)?.at
  if (last === undefined || last === null) return hearing
  const isEcho = ({ by, itemId, state }: HookNews) =>
    by !== null && changes.some((change) => change.itemId === itemId && change.state === state && change.by === by)
  return {
    ...hearing,
    heardAt: EpochMillis(Math.max(hearing.heardAt, last)),
    echoes: hearing.echoes || hooks.some(isEcho),
    misses: 0,
    silentSince: undefined
  }
}

/**
 * Judges the states of ours whose time for an echo is over. `deafUntil`: until then Plane was away, or we were, so that
 * no hook could be expected.
 */
export const judged = (
  hearing: Hearing,
  changes: ReadonlyArray<StateChange>,
  now: EpochMillis,
  deafUntil: EpochMillis
): Hearing => {
  const isOver = ({ at }: StateChange) => at > hearing.judgedAt && later(at, echoWithin) <= now
  const over = changes.filter(isOver)
  const missed = over.filter(({ at }) => at > hearing.heardAt && at > deafUntil)
  const judgedAt = Math.max(hearing.judgedAt, ...over.map(({ at }) => at))
  // The clock may have been set back.
  return { ...hearing, misses: hearing.misses + missed.length, judgedAt: EpochMillis(Math.min(judgedAt, now)) }
}

interface Row extends Omit<Hearing, "echoes" | "silentSince"> {
  readonly echoes: number
  readonly silentSince: EpochMillis | null
}

export const readHearing = (sql: Sql, workspace: string): Effect.Effect<Hearing | undefined, SqlError> =>
  Effect.map(
    sql<Row>`SELECT hook, heard_at AS "heardAt", echoes, misses, judged_at AS "judgedAt",
        silent_since AS "silentSince" FROM plane_sync_hearing WHERE workspace = ${workspace}`,
    ([row]) => row && { ...row, echoes: row.echoes === 1, silentSince: row.silentSince ?? undefined }
  )

export const keepHearing = (sql: Sql, workspace: string, hearing: Hearing): Effect.Effect<void, SqlError> => {
  const { echoes, heardAt, hook, judgedAt, misses, silentSince } = hearing
  return Effect.asVoid(sql`INSERT INTO plane_sync_hearing
      (workspace, hook, heard_at, echoes, misses, judged_at, silent_since)
    VALUES (${workspace}, ${hook}, ${heardAt}, ${echoes ? 1 : 0}, ${misses}, ${judgedAt}, ${silentSince ?? null})
    ON CONFLICT (workspace) DO UPDATE SET hook = excluded.hook, heard_at = excluded.heard_at,
      echoes = excluded.echoes, misses = excluded.misses, judged_at = excluded.judged_at,
      silent_since = excluded.silent_since`)
}
