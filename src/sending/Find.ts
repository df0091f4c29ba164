import { Clock, Effect, Option } from "effect"
import { monotonicMillis } from "../base/Time.js"
import type { Project } from "../domain/Project.js"
import type { WorkItemKey } from "../domain/WorkItemKey.js"
import type { Outbox } from "../outbox/Outbox.js"
import { findAmong } from "../plane/FindAmong.js"
import type { PlaneClient, WorkItem } from "../plane/PlaneClient.js"
import type { AmbiguousName, PlaneError, UnknownProject, WorkItemNotFound } from "../plane/PlaneError.js"
import { isFresh } from "./Freshness.js"

/** Why a key is not found. */
export type LookError = PlaneError | WorkItemNotFound | AmbiguousName | UnknownProject

/** A work item, and when it was read, by the monotonic clock. */
export interface Found {
  readonly item: WorkItem
  readonly readAt: number
}

/** Finds the work item of a key whose oldest event was published at `since`. */
export type Find = (key: WorkItemKey, since: number) => Effect.Effect<Found, LookError>

// A page costs one request like a single look-up, and is dear when it tells nothing: of three keys it need tell two.
const enoughKeys = 3

interface Page {
  readonly items: ReadonlyArray<WorkItem>
  readonly all: boolean
  /** By the monotonic clock, which tells how old it is; by the computer's, to compare with what was published. */
  readonly readAt: number
  readonly since1970: number
}

/**
 * Looks keys up as `PlaneClient.find` does, with fewer requests where many are owed: then one page of the newest work
 * items is read, relied on as long as anything that was read, and tells what it can. It is never the reason of a failure:
 * what it does not tell is looked up singly.
 */
export const makeFind = (
  { client, outbox, project }: {
    readonly client: PlaneClient["Type"]
    readonly project: Project
    readonly outbox: Outbox["Type"]
  }
): Find => {
  let kept: Page | undefined
  // Who comes while it is read waits for it.
  const onlyOne = Effect.unsafeMakeSemaphore(1)

  const readPage = Effect.gen(function*() {
    const readAt = yield* monotonicMillis
    const since1970 = yield* Clock.currentTimeMillis
    const page = yield* Effect.orElseSucceed(client.newest, () => ({ items: [], all: false }))
    kept = { ...page, readAt, since1970 }
    return kept
  })

  const page = Effect.gen(function*() {
    if (kept !== undefined && (yield* isFresh(kept.readAt))) return kept
    kept = undefined
    const keys = yield* Effect.orElseSucceed(outbox.unfoundKeys(enoughKeys), () => 0)
    return keys < enoughKeys ? undefined : yield* readPage
  }).pipe(onlyOne.withPermits(1))

  const onPage = Effect.fnUntraced(function*(key: WorkItemKey, since: number, { all, items, readAt, since1970 }: Page) {
    const pageAge = (yield* monotonicMillis) - readAt
    const eventAge = (yield* Clock.currentTimeMillis) - since
    // What is not on a page that was read before the event may be what the event is about. The first is wrong where the
    // clock was put back since, the second where it was put forward.
    const isOlder = since <= since1970 && pageAge <= eventAge
    return Option.map(findAmong(key, items, all && isOlder), (item): Found => ({ item, readAt }))
  })

  const single = Effect.fnUntraced(function*(key: WorkItemKey) {
    const readAt = yield* monotonicMillis
    return { item: yield* client.find(key), readAt }
  })

  return Effect.fnUntraced(function*(key, since) {
    if (key.identifier !== project.identifier) return yield* single(key)
    const read = yield* page
    const found = read === undefined ? Option.none() : yield* onPage(key, since, read)
    return yield* Option.match(found, { onNone: () => single(key), onSome: Effect.succeed })
  })
}
