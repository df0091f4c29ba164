import { Effect } from "effect"
import type { StateId } from "../domain/StageStates.js"
import type { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"

/** A state of a project in Plane. */
export interface NamedState {
  readonly id: StateId
  readonly name: string
}

/** Keeps the states of a project, as Plane has just told them, for whoever looks at the file alone. */
export const rememberStates = (
  { sql, write }: Pick<Storage["Type"], "sql" | "write">,
  project: string,
  states: ReadonlyArray<NamedState>
): Effect.Effect<void, StorageError> => {
  const rows = JSON.stringify(states.map(({ id, name }) => [id, name]))
  return write(Effect.gen(function*() {
    yield* sql`INSERT INTO plane_sync_state (id, project, name)
      SELECT value ->> 0, ${project}, value ->> 1 FROM json_each(${rows}) WHERE true
      ON CONFLICT (id) DO UPDATE SET project = excluded.project, name = excluded.name
        WHERE name <> excluded.name OR project <> excluded.project`
    yield* sql`DELETE FROM plane_sync_state WHERE project = ${project}
      AND id NOT IN (SELECT value ->> 0 FROM json_each(${rows}))`
  }))
}

/** The states of a project, as Plane has last told them. None if it has not yet. */
export const readStates = (
  { read, sql }: Pick<Storage["Type"], "sql" | "read">,
  project: string
): Effect.Effect<ReadonlyArray<NamedState>, StorageError> =>
  read(sql<NamedState>`SELECT id, name FROM plane_sync_state WHERE project = ${project} ORDER BY id`)
