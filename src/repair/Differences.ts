import { Data, Effect, Option } from "effect"
import { epochMillis } from "../base/Time.js"
import type { ItemId } from "../domain/Ids.js"
import { keyIn } from "../domain/Project.js"
import type { Stage } from "../domain/Stage.js"
import type { StateId } from "../domain/StageStates.js"
import type { CanonicalKey } from "../domain/WorkItemKey.js"
import type { AtStage } from "../outbox/Differences.js"
import { itemsAtStage, oweState } from "../outbox/Differences.js"
import type { PlaneError } from "../plane/PlaneError.js"
import type { WorkItem } from "../plane/WorkItem.js"
import type { PlaneProject } from "../sending/PlaneProjects.js"
import type { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import type { WithSlot } from "./LowestSlot.js"

/** A work item in another state than that of its stage. */
export interface Difference {
  readonly key: CanonicalKey
  readonly item: AtStage
  readonly stage: Stage
  /** The state that Plane shows, and that of the stage. */
  readonly shown: StateId | null
  readonly wanted: StateId
  /** Whether the last who has moved it is plane-sync, as far as Plane tells. */
  readonly isOurs: boolean
}

/** What is being done, for those who wait: so many of so many requests. */
export type Progress = (done: number, of: number, what: string) => Effect.Effect<void>

/** Nothing can be compared with a Plane that is closed. */
export class PlaneClosed extends Data.TaggedError("PlaneClosed")<{
  readonly project: string
  readonly reason: string
}> {
  override get message(): string {
    return `${this.project} cannot be compared with Plane: ${this.reason}`
  }
}

interface Parts {
  readonly project: PlaneProject
  readonly storage: Pick<Storage["Type"], "read" | "sql">
  readonly withSlot: WithSlot
  readonly progress: Progress
}

/** So few are read singly rather than with a page more. */
const fewLeft = 3

/** The work items that are in a state as Plane shows them now. Those that are gone are missing. */
const shownItems = ({ progress, project: { client }, withSlot }: Parts, wanted: ReadonlyArray<ItemId>) =>
  Effect.gen(function*() {
    const left = new Set(wanted)
    const found = new Map<ItemId, WorkItem>()
    const note = (item: WorkItem) => {
      if (left.delete(item.id)) found.set(item.id, item)
      return progress(found.size, wanted.length, "work items are read")
    }
    for (let cursor: string | undefined; left.size > fewLeft;) {
      const page: Effect.Effect.Success<ReturnType<typeof client.changed>> = yield* withSlot((slot) =>
        client.changed(cursor, slot)
      )
      yield* Effect.forEach(page.items, note, { discard: true })
      const next = Option.filter(page.next, (next) => next !== cursor)
      if (Option.isNone(next)) return found
      cursor = next.value
    }
    for (const id of [...left]) {
      yield* withSlot((slot) => client.read(id, slot)).pipe(
        Effect.flatMap(note),
        Effect.catchIf((error) => error.reason === "NotFound", () => Effect.void)
      )
    }
    return found
  })

/** Whether the last move is our own. A Plane that does not tell says of none that it is. */
const isOurs = ({ project: { client }, withSlot }: Parts, { itemId, placedBy }: AtStage) =>
  placedBy === null
    ? Effect.succeed(false)
    : Effect.map(
      Effect.catchIf(
        withSlot((slot) => client.moves(itemId, slot)),
        ({ status }) => Option.contains(status, 404),
        () => Effect.succeed([])
      ),
      ([newest]) => newest !== undefined && Option.contains(newest.by, placedBy)
    )

/** Waits until Plane has answered for the first time. */
export const openProject = ({ destination, project }: PlaneProject): Effect.Effect<void, PlaneClosed> =>
  Effect.gen(function*() {
    yield* destination.asked
    const status = yield* destination.status
    if (!status.open) return yield* new PlaneClosed({ project: project.identifier, reason: status.reason })
  })

/** The work items of a project whose state differs from that of the stage that was published of them last. */
export const differencesOf = (
  parts: Parts
): Effect.Effect<ReadonlyArray<Difference>, PlaneError | StorageError> =>
  Effect.gen(function*() {
    const { progress, project: { place, project }, storage } = parts
    const states = place.states()
    const known = (yield* itemsAtStage(storage, project.identifier)).filter(({ stage }) => states.has(stage))
    const shown = yield* shownItems(parts, known.map(({ itemId }) => itemId))
    const different = known.flatMap((item) => {
      const seen = shown.get(item.itemId)
      const wanted = states.get(item.stage)
      return seen === undefined || wanted === undefined || Option.contains(seen.stateId, wanted)
        ? []
        : [{ key: keyIn(project, seen.number), item, stage: item.stage, shown: Option.getOrNull(seen.stateId), wanted }]
    })
    return yield* Effect.forEach(different, (one, index) =>
      Effect.zipLeft(
        Effect.map(isOurs(parts, one.item), (isOurs): Difference => ({ ...one, isOurs })),
        progress(index + 1, different.length, "work items: who has moved them last")
      ))
  })

/** Makes the states of these work items owed again, so that the leader sets them. Returns how many are. */
export const setStates = (
  { sql, write }: Pick<Storage["Type"], "sql" | "write">,
  differences: ReadonlyArray<Difference>
): Effect.Effect<number, StorageError> =>
  Effect.gen(function*() {
    const now = yield* epochMillis
    const owed = yield* Effect.forEach(differences, ({ item, shown }) => write(oweState(sql, item, shown, now)))
    return owed.filter((isOwed) => isOwed).length
  })
