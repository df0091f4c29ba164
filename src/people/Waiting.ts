import { Array as Arr, Effect } from "effect"
import type { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import type { Task, TaskId } from "../tasks/Task.js"
import type { GivenNotice } from "./Notices.js"
import { noticesOf } from "./Notices.js"
import type { Wait } from "./Wait.js"
import { waitsOfEntries } from "./Waits.js"

/** A wait that is open, and what became of its notices. */
export interface OpenWait extends Wait {
  readonly notices: ReadonlyArray<GivenNotice>
}

/** The open waits of tasks, the oldest first. A task that waits for nobody is not among them. */
export type Waiting = ReadonlyMap<TaskId, ReadonlyArray<OpenWait>>

/** What each of these tasks waits for at its stage now. */
export const readWaiting = (
  { read, sql }: Pick<Storage["Type"], "read" | "sql">,
  tasks: ReadonlyArray<Task>
): Effect.Effect<Waiting, StorageError> =>
  Effect.gen(function*() {
    const going = tasks.filter(({ status }) => status === "active" || status === "paused")
    const rows = going.length === 0
      ? []
      : yield* read(waitsOfEntries(sql, going.map(({ entry, id }) => ({ taskId: id, entry }))))
    const open = rows.filter(({ state }) => state === "open")
    const notices = open.length === 0 ? [] : yield* read(noticesOf(sql, open.map(({ id }) => id)))
    const each = open.map((wait): OpenWait => ({
      ...wait,
      notices: notices.filter((notice) => notice.wait === wait.id)
    }))
    return new Map(
      Object.values(Arr.groupBy(each, ({ taskId }) => String(taskId))).map((waits) => [waits[0].taskId, waits])
    )
  })
