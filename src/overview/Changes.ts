import { Effect } from "effect"
import { EpochMillis } from "../base/Time.js"
import { EventSequence } from "../domain/Ids.js"
import { Health } from "../health/Health.js"
import { judge } from "../health/Judge.js"
import { Outbox } from "../outbox/Outbox.js"
import { openWaitsMark } from "../people/Waits.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import type { ChangedTask } from "../tasks/ChangedTasks.js"
import { changedTasks, latestChange } from "../tasks/ChangedTasks.js"

/** What the page shows, as far as a look can tell that it has become something else. */
interface Seen {
  /** The newest event. */
  readonly sequence: EventSequence
  /** When a task was last changed, and the tasks of that moment. */
  readonly changedAt: EpochMillis
  readonly tasks: ReadonlySet<string>
  /** What is counted, what waits, and how Plane is, as one text. */
  readonly rest: string
}

/** The work items that have changed; none of them is named if they are many, or if something else has changed. */
export interface Changed {
  readonly workItems: ReadonlyArray<string>
}

/** So many work items are named at most. */
export const mostNamed = 50

const named = ({ id, revision }: ChangedTask) => `${id}:${revision}`

/** Looks whether something has changed since the look before: a few short reads, whoever has written it. */
export const makeChanges: Effect.Effect<
  {
    /** Where to begin: what changes from now on is told. */
    readonly begin: Effect.Effect<void, StorageError>
    /** What has changed since; undefined: nothing. */
    readonly look: Effect.Effect<Changed | undefined, StorageError>
  },
  never,
  Health | Outbox | Storage
> = Effect.gen(function*() {
  const { facts } = yield* Health
  const outbox = yield* Outbox
  const { read, sql } = yield* Storage
  let before: Seen | undefined

  const rest = Effect.gen(function*() {
    const known = yield* facts
    const { dead, delivered, discarded, pending } = known.outbox
    const waits = yield* read(openWaitsMark(sql))
    return JSON.stringify([dead, delivered, discarded, pending, waits, judge(known).reasons])
  })

  const begin = Effect.gen(function*() {
    const [newest] = yield* outbox.events({ limit: 1 })
    const changedAt = yield* read(latestChange(sql))
    const tasks = yield* read(changedTasks(sql, changedAt, mostNamed))
    before = {
      sequence: newest?.sequence ?? EventSequence(0),
      changedAt,
      tasks: new Set(tasks.map(named)),
      rest: yield* rest
    }
  })

  return {
    begin,
    look: Effect.suspend(() => {
      const last = before
      return last === undefined ? Effect.as(begin, { workItems: [] }) : Effect.gen(function*() {
        const events = yield* outbox.eventsAfter(last.sequence, mostNamed + 1)
        const stirred = yield* read(changedTasks(sql, last.changedAt, mostNamed * 2))
        const tasks = stirred.filter((task) => !last.tasks.has(named(task)))
        const now = yield* rest
        const changedAt = EpochMillis(Math.max(last.changedAt, ...stirred.map(({ updatedAt }) => updatedAt)))
        before = {
          sequence: events.at(-1)?.sequence ?? last.sequence,
          changedAt,
          tasks: new Set([
            ...(changedAt === last.changedAt ? last.tasks : []),
            ...stirred.filter(({ updatedAt }) => updatedAt === changedAt).map(named)
          ]),
          rest: now
        }
        const workItems = [...new Set([...events, ...tasks].map(({ workItem }) => workItem))]
        if (workItems.length === 0) return now === last.rest ? undefined : { workItems: [] }
        return { workItems: workItems.length > mostNamed ? [] : workItems }
      })
    })
  }
})
