import { Effect, Option } from "effect"
import type { EpochMillis, MonotonicMillis } from "../base/Time.js"
import { epochMillis, monotonicMillis } from "../base/Time.js"
import type { Project } from "../domain/Project.js"
import type { WorkItemKey } from "../domain/WorkItemKey.js"
import type { Outbox } from "../outbox/Outbox.js"
import { findAmong } from "../plane/FindAmong.js"
import type { FindError } from "../plane/FindByKey.js"
import type { PlaneClient } from "../plane/PlaneClient.js"
import type { Slot } from "../plane/RateBudget.js"
import type { WorkItem } from "../plane/WorkItem.js"
import { isFresh } from "./SeenState.js"

/** A work item, and when it was read. */
export interface Found {
  readonly item: WorkItem
  readonly readAt: MonotonicMillis
}

/** Finds the work item of a key whose oldest event was published at `since`. The first request uses the slot. */
export type Find = (key: WorkItemKey, since: EpochMillis, slot: Slot) => Effect.Effect<Found, FindError>

// A page costs one request, as a single look-up does. With three keys it saves a request if it settles two of them.
const enoughKeys = 3

interface Page {
  readonly items: ReadonlyArray<WorkItem>
  readonly all: boolean
  /** Tells how old the page is. */
  readonly readAt: MonotonicMillis
  /** The same moment by the other clock, to compare with the moment at which an event was published. */
  readonly readAtEpoch: EpochMillis
}

/**
 * Looks keys up as `PlaneClient.find` does, with fewer requests if many are owed. Then it reads one page of the newest
 * work items, relies on it for as long as on anything that was read, and takes from it what it can. The page is never
 * the reason of a failure: keys that it does not settle are looked up singly.
 */
export const makeFind = (
  { client, outbox, project }: {
    readonly client: PlaneClient["Type"]
    readonly project: Project
    readonly outbox: Outbox["Type"]
  }
): Find => {
  let kept: Page | undefined
  // Look-ups that come while the page is being read wait for it.
  const onlyOne = Effect.unsafeMakeSemaphore(1)

  const readPage = Effect.fnUntraced(function*(slot: Slot) {
    const readAt = yield* monotonicMillis
    const readAtEpoch = yield* epochMillis
    const page = yield* Effect.orElseSucceed(client.newest(slot), () => ({ items: [], all: false }))
    kept = { ...page, readAt, readAtEpoch }
    return kept
  })

  const page = (slot: Slot) =>
    Effect.gen(function*() {
      if (kept !== undefined && (yield* isFresh(kept.readAt))) return kept
      kept = undefined
      const keys = yield* Effect.orElseSucceed(outbox.unfoundKeys(project.identifier, enoughKeys), () => 0)
      return keys < enoughKeys ? undefined : yield* readPage(slot)
    }).pipe(onlyOne.withPermits(1))

  const onPage = Effect.fnUntraced(function*(key: WorkItemKey, since: EpochMillis, page: Page) {
    const pageAge = (yield* monotonicMillis) - page.readAt
    const eventAge = (yield* epochMillis) - since
    // A page that was read before the event was published may lack the very work item that the event is about. The
    // first comparison is wrong if the clock was put back since, the second if it was put forward.
    const isOlder = since <= page.readAtEpoch && pageAge <= eventAge
    return Option.map(
      findAmong(key, page.items, page.all && isOlder),
      (item): Found => ({ item, readAt: page.readAt })
    )
  })

  const single = Effect.fnUntraced(function*(key: WorkItemKey, slot: Slot) {
    const readAt = yield* monotonicMillis
    return { item: yield* client.find(key, slot), readAt }
  })

  return Effect.fnUntraced(function*(key, since, slot) {
    if (key.identifier !== project.identifier) return yield* single(key, slot)
    const read = yield* page(slot)
    const found = read === undefined ? Option.none() : yield* onPage(key, since, read)
    // The slot is still unused if no page was read just now.
    return yield* Option.match(found, { onNone: () => single(key, slot), onSome: Effect.succeed })
  })
}
