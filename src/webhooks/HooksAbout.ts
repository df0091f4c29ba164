import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import type { EpochMillis } from "../base/Time.js"
import type { ItemId } from "../domain/Ids.js"
import type { Sql } from "../storage/Sql.js"
import type { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import type { Source } from "./WebhookConfig.js"

/** What a hook is about: a work item, as Plane's hooks tell, or a pull request or a commit, as those of Gitea do. */
export type Subject =
  | { readonly _tag: "Item"; readonly itemId: ItemId }
  | { readonly _tag: "PullRequest"; readonly repository: number; readonly number: number }
  | { readonly _tag: "Commit"; readonly repository: number; readonly sha: string }

/** A hook that was worked on, as a work item's story tells it. */
export interface HookTold {
  readonly id: number
  readonly source: Source
  readonly event: string
  readonly receivedAt: EpochMillis
  readonly status: "pending" | "done" | "skipped"
  /** What it meant, or why it waits. */
  readonly reason: string | null
}

const textOf = (subject: Subject): string => {
  switch (subject._tag) {
    case "Item":
      return `item ${subject.itemId}`
    case "PullRequest":
      return `pull ${subject.repository} ${subject.number}`
    case "Commit":
      return `commit ${subject.repository} ${subject.sha}`
  }
}

/** Writes down what hooks are about, within the transaction that settles them. */
export const noteSubjects = (
  sql: Sql,
  subjects: ReadonlyArray<readonly [hook: number, about: ReadonlyArray<Subject>]>
): Effect.Effect<void, SqlError> => {
  const rows = subjects.flatMap(([hook, about]) => about.map((subject) => [textOf(subject), hook]))
  return rows.length === 0
    ? Effect.void
    : Effect.asVoid(sql`INSERT INTO plane_sync_webhook_about (about, hook)
      SELECT value ->> 0, CAST(value ->> 1 AS bigint) FROM ${sql.each(rows)} WHERE true
      ON CONFLICT (about, hook) DO NOTHING`)
}

/** Forgets what hooks are about that are deleted. */
export const forgetSubjects = (sql: Sql, hooks: ReadonlyArray<number>): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`DELETE FROM plane_sync_webhook_about WHERE hook IN ${sql.numbers(hooks)}`)

/** The newest hooks that are about one of these, the oldest of them first. */
export const readHooksAbout = (
  { read, sql }: Pick<Storage["Type"], "read" | "sql">,
  subjects: ReadonlyArray<Subject>,
  limit: number
): Effect.Effect<ReadonlyArray<HookTold>, StorageError> =>
  read(sql<HookTold>`SELECT id, source, event, received_at AS "receivedAt", status, reason
      FROM plane_sync_webhook WHERE id IN (SELECT hook FROM plane_sync_webhook_about
        WHERE about IN ${sql.texts(subjects.map(textOf))}
        ORDER BY hook DESC LIMIT ${limit}) ORDER BY id`)
