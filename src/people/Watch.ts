import type { SqlError } from "@effect/sql/SqlError"
import { Array as Arr, Duration, Effect, Option } from "effect"
import type { Scope } from "effect"
import type { EpochMillis } from "../base/Time.js"
import { epochMillis, later } from "../base/Time.js"
import type { Projects } from "../domain/Projects.js"
import type { Noted, StageEvent } from "../domain/StageEvent.js"
import { WorkItemKey } from "../domain/WorkItemKey.js"
import type { StageEvents } from "../events/StageEvents.js"
import { deadOfItems } from "../outbox/DeadOfItems.js"
import type { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import type { WakeUps } from "../storage/WakeUps.js"
import { lockTask } from "../tasks/Locks.js"
import type { Task, TaskId } from "../tasks/Task.js"
import type { TaskReader, TaskRow } from "../tasks/TaskRows.js"
import type { DeadLetter, End, Need } from "./Needs.js"
import { approvalGiven, needsOf, whyOver } from "./Needs.js"
import type { Opening } from "./Opening.js"
import type { Ceilings } from "./PeopleConfig.js"
import type { WaitRow } from "./Waits.js"
import { dueEscalations, endEscalation, openWaits, waitOf, waitsOfEntries } from "./Waits.js"

/** How many tasks, and how many waits, one look reads. The next look goes on after them. */
const pageSize = 100

/** How often one looks while nothing is told. */
const lookEvery = Duration.seconds(10)

/** How often one looks at most. */
const pause = Duration.seconds(1)

/** The longest time that a wait is put off for: longer than any `ORCH_ATTENTION_AFTER`. */
const furthestAhead = Duration.days(31)

const nameOf = ({ itemId, workItem }: Task) => Option.getOrElse(itemId, () => WorkItemKey.normalize(workItem))

const keyOf = ({ entry, reason, same, taskId }: Pick<WaitRow, "entry" | "reason" | "same" | "taskId">) =>
  JSON.stringify([taskId, entry, reason, same])

/** A page of what is read, and where the next one begins: at the start after the last one. */
const makeCursor = <A>(idOf: (item: A) => number) => {
  let after = 0
  return (
    read: (page: { readonly after: number; readonly limit: number }) => Effect.Effect<ReadonlyArray<A>, StorageError>
  ) =>
    Effect.map(Effect.suspend(() => read({ after, limit: pageSize })), (page) => {
      const last = page.at(-1)
      after = page.length < pageSize || last === undefined ? 0 : idOf(last)
      return page
    })
}

interface Parts extends Pick<Storage["Type"], "read" | "sql" | "trouble"> {
  readonly events: StageEvents["Type"]
  readonly wakeUps: WakeUps["Type"]
  readonly reader: TaskReader
  readonly opening: Opening
  readonly ceilings: Ceilings
  readonly projects: Projects["Type"]
}

/**
 * Opens what tasks wait for somebody for, besides their agents' questions; hands it on to the next person; and withdraws
 * what nobody is needed for any more. It looks at all active tasks and all open waits, page by page, and decides from
 * what is stored alone: so nothing is lost with a process. Each change is decided again within its transaction.
 */
export const startWatch = (
  { ceilings, events, opening, projects, read, reader, sql, trouble, wakeUps }: Parts,
  /** Whether this process leads the project with this identifier. */
  leads: (project: string) => boolean
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function*() {
    const activePage = makeCursor<TaskRow>(({ task }) => task.id)
    const openPage = makeCursor<WaitRow>(({ id }) => id)
    const duePage = makeCursor<WaitRow>(({ id }) => id)

    const deadOf = (rows: ReadonlyArray<TaskRow>) =>
      Effect.map(
        rows.length === 0 ? Effect.succeed([]) : read(deadOfItems(sql, rows.map(({ task }) => nameOf(task)))),
        (dead) => (row: TaskRow): DeadLetter | undefined => {
          const newest = dead.find(({ name }) => name === nameOf(row.task))
          return newest && {
            reason: newest.reason,
            settledAt: newest.settledAt,
            isUnreachable: ["gone", "not_found", "ambiguous", "wrong_project"].includes(newest.code)
          }
        }
      )

    const needs = (row: TaskRow, dead: DeadLetter | undefined, now: EpochMillis) =>
      needsOf(row, { areNamed: opening.areNamed(row.task), ceilings, dead, now, projects })

    /** Runs a change of a task with its row as it is then. */
    const change = (
      taskId: TaskId,
      work: (row: TaskRow | undefined, now: EpochMillis) => Effect.Effect<ReadonlyArray<StageEvent | Noted>, SqlError>
    ) =>
      events.transact(Effect.gen(function*() {
        yield* lockTask(sql, taskId)
        const row = yield* reader.byId(taskId)
        return { value: undefined, events: yield* work(row, yield* epochMillis) }
      }))

    const openNew = Effect.gen(function*() {
      const now = yield* epochMillis
      const rows = (yield* activePage((page) => read(reader.active(page)))).filter(({ task }) => leads(task.project))
      const dead = yield* deadOf(rows)
      const needing = rows.map((row) => ({ row, found: needs(row, dead(row), now) })).filter(({ found }) =>
        found.length > 0
      )
      if (needing.length === 0) return
      const known = new Set(
        (yield* read(
          waitsOfEntries(sql, needing.map(({ row: { task } }) => ({ taskId: task.id, entry: task.entry })))
        )).map(keyOf)
      )
      for (const { found, row: { task: { entry, id } } } of needing) {
        const isNew = ({ reason, same }: Need) => !known.has(keyOf({ taskId: id, entry, reason, same }))
        if (!found.some(isNew)) continue
        yield* change(id, (row, now) =>
          Effect.gen(function*() {
            if (row === undefined) return []
            const opened = yield* Effect.forEach(
              needs(row, dead(row), now),
              (need) => opening.open(row.task, { ...need, agent: null }, now)
            )
            return opened.flatMap((one) => one?.events ?? [])
          }))
      }
    })

    const withdrawOld = Effect.gen(function*() {
      const waits = yield* openPage((page) => read(openWaits(sql, page)))
      if (waits.length === 0) return
      const rows = yield* read(reader.byIds(Array.from(new Set(waits.map(({ taskId }) => taskId)))))
      const dead = yield* deadOf(rows)
      const now = yield* epochMillis
      const endOf = (wait: WaitRow, row: TaskRow | undefined, now: EpochMillis): End | undefined => {
        const why = whyOver(wait, row, row === undefined ? [] : needs(row, dead(row), now))
        return approvalGiven(wait, row) ?? (why === undefined ? undefined : { state: "withdrawn", why, by: null })
      }
      const rowOf = (id: TaskId) => rows.find(({ task }) => task.id === id)
      const over = waits.filter((wait) => {
        const row = rowOf(wait.taskId)
        return (row === undefined || leads(row.task.project)) && endOf(wait, row, now) !== undefined
      })
      for (const group of Object.values(Arr.groupBy(over, ({ taskId }) => String(taskId)))) {
        yield* change(group[0].taskId, (row, now) =>
          Effect.gen(function*() {
            const closed = yield* Effect.forEach(group, (found) =>
              Effect.gen(function*() {
                // An answer may have taken it along to another entry of the stage meanwhile.
                const wait = yield* waitOf(sql, found)
                const end = wait && endOf(wait, row, now)
                return end && (yield* opening.close(wait, row?.task, end, now))
              }))
            // Who is asked anew to approve a stage is not told that nobody is needed.
            const isAnew = ({ entry, reason, stage }: WaitRow) =>
              reason === "approval" && row?.task.status === "active" && row.task.stage === stage &&
              row.task.entry !== entry
            return opening.over(closed.filter((wait) => wait !== undefined).filter((wait) => !isAnew(wait)))
          }))
      }
    })

    const escalate = Effect.gen(function*() {
      const now = yield* epochMillis
      const due = yield* duePage((page) =>
        read(dueEscalations(sql, { ...page, now, furthest: later(now, furthestAhead) }))
      )
      if (due.length === 0) return
      const rows = yield* read(reader.byIds(Array.from(new Set(due.map(({ taskId }) => taskId)))))
      const led = new Set(rows.filter(({ task }) => leads(task.project)).map(({ task }) => task.id))
      // Without a transaction: each wakes everybody, this look as well.
      for (const wait of due.filter(({ taskId }) => led.has(taskId))) {
        yield* change(wait.taskId, (row, now) =>
          Effect.gen(function*() {
            if (row === undefined || !leads(row.task.project)) return []
            const handed = yield* opening.escalate(wait, row.task, now)
            if (handed === undefined) yield* endEscalation(sql, wait)
            return []
          }))
      }
    })

    const look = Effect.zipRight(openNew, Effect.zipRight(withdrawOld, escalate))
    yield* Effect.forkScoped(Effect.forever(Effect.gen(function*() {
      // Also at the start, when others have more urgent questions to the database.
      yield* Effect.sleep(pause)
      const mark = yield* wakeUps.mark
      yield* trouble.retry(look)
      yield* Effect.raceFirst(wakeUps.since(mark), Effect.sleep(lookEvery))
    })))
  })
