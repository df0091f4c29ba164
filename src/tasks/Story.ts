import type { SqlError } from "@effect/sql/SqlError"
import type { DateTime } from "effect"
import { Effect } from "effect"
import { cleanLine, reasonLimit } from "../base/Text.js"
import type { EpochMillis } from "../base/Time.js"
import { utc } from "../base/Time.js"
import type { Sql } from "../storage/Sql.js"
import type { TaskId, VerdictWord } from "./Task.js"

/** Something that happened to a task: verdicts, and what is not told in Plane. */
export interface StoryLine {
  readonly at: DateTime.Utc
  readonly line: string
}

interface GivenWord {
  readonly gate: string
  readonly stage: string | null
  readonly verdict: VerdictWord
  readonly reason?: string | undefined
}

/** A verdict in a task's story. */
export const verdictLine = ({ gate, reason, stage, verdict }: GivenWord): string =>
  cleanLine(
    `gate ${gate}${stage === null ? "" : ` of ${stage}`}: ${verdict}${reason === undefined ? "" : `: ${reason}`}`,
    reasonLimit
  )

/** Whether a line of a story is a verdict. */
export const isVerdictLine = (line: string): boolean => /^gate .+: (passed|failed|pending)(: |$)/.test(line)

const holdsAgain = " holds again at "

/** Tells that a gate whose failure was told holds again. */
export const wellLine = (gate: string, stage: string): string => `${gate}${holdsAgain}${stage}`

/** Whether a line of a story says what became of a gate. */
export const isAboutGate = (line: string, gate: string): boolean =>
  isVerdictLine(line) && (line.startsWith(`gate ${gate} of `) || line.startsWith(`gate ${gate}: `)) ||
  line.startsWith(`${gate}${holdsAgain}`)

/** How many lines of a task are kept. */
const kept = 200

/** Adds a line to a task's story, within the transaction of what it tells. Only the newest lines are kept. */
export const tell = (sql: Sql, taskId: TaskId, now: EpochMillis, line: string): Effect.Effect<void, SqlError> =>
  Effect.gen(function*() {
    yield* sql`INSERT INTO plane_sync_task_story (task, at, line)
      VALUES (${taskId}, ${now}, ${cleanLine(line, reasonLimit)})`
    yield* sql`DELETE FROM plane_sync_task_story WHERE task = ${taskId} AND id <= (
      SELECT id FROM plane_sync_task_story WHERE task = ${taskId}
      ORDER BY id DESC LIMIT 1 OFFSET ${sql.literal(String(kept))})`
  })

/** A task's story, the oldest line first. */
export const readStory = (sql: Sql, taskId: TaskId): Effect.Effect<ReadonlyArray<StoryLine>, SqlError> =>
  Effect.map(
    sql<{ at: EpochMillis; line: string }>`SELECT at, line FROM plane_sync_task_story WHERE task = ${taskId}
      ORDER BY id DESC LIMIT ${sql.literal(String(kept))}`,
    (rows) => rows.toReversed().map(({ at, line }) => ({ at: utc(at), line }))
  )
