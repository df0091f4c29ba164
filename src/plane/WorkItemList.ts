import { Duration, Effect, Option } from "effect"
import type { MonotonicMillis } from "../base/Time.js"
import { monotonicMillis } from "../base/Time.js"
import type { ItemId } from "../domain/Ids.js"
import type { Project } from "../domain/Project.js"
import { keyIn } from "../domain/Project.js"
import type { NormalizedKey, WorkItemKey } from "../domain/WorkItemKey.js"
import type { PlaneError } from "./PlaneError.js"
import { AmbiguousName, ListUnread, WorkItemNotFound } from "./PlaneError.js"
import type { Slot } from "./RateBudget.js"
import type { WorkItem } from "./WorkItem.js"

/** A page of the list of work items, newest first. */
export interface ListPage {
  readonly items: ReadonlyArray<WorkItem>
  /** The cursor of the next page; none after the last. */
  readonly next: Option.Option<string>
}

/**
 * The work item of a key, by the list of all. One call reads one page at most, with the slot, and `ListUnread` asks for
 * another call.
 */
export type FindInList = (
  key: WorkItemKey,
  slot?: Slot
) => Effect.Effect<WorkItem, PlaneError | WorkItemNotFound | AmbiguousName | ListUnread>

/** How long a list that was read to its end is relied on for all but the newest work items. */
const readAllEvery = Duration.toMillis("1 hour")

/** For how long the newest page serves keys that have waited for the list since before it was read. */
const newestServesFor = Duration.toMillis("1 minutes")

/** What is older than these pages is not found. */
const mostPages = 1_000

/** What is kept of a list: the numbers, and the names that carry a key. */
interface Known {
  readonly numbers: Map<number, ItemId>
  readonly names: Map<ItemId, { readonly name: string; readonly number: number }>
}

const nothing = (): Known => ({ numbers: new Map(), names: new Map() })

/**
 * For a Plane that has neither a request by key nor a search. All pages are read at most once an hour. In between the
 * first page is, once for all keys that wait: newer work items are on it, or the list is read anew.
 */
export const makeFindInList = (
  { page, project, read }: {
    readonly project: Project
    readonly page: (cursor: string | undefined, slot?: Slot) => Effect.Effect<ListPage, PlaneError>
    readonly read: (id: ItemId, slot?: Slot) => Effect.Effect<WorkItem, PlaneError>
  }
): FindInList => {
  // Names without it carry no key of the project, and are not kept.
  const mayCarry = new RegExp(`${project.identifier}-[0-9]`, "iu")
  const onlyOne = Effect.unsafeMakeSemaphore(1)
  let known = nothing()
  /** Since when `known` has all that is in the list; none while it has not. */
  let completeAt: MonotonicMillis | undefined
  let newestAt: MonotonicMillis | undefined
  /** Since when each key has waited for the list. */
  const waiting = new Map<NormalizedKey, MonotonicMillis>()
  let unread: { readonly known: Known; readonly next: Option.Option<string>; readonly pages: number } | undefined

  const note = (into: Known, items: ReadonlyArray<WorkItem>) => {
    for (const { id, name, number } of items) {
      into.numbers.set(number, id)
      if (mayCarry.test(name)) into.names.set(id, { name, number })
      else into.names.delete(id)
    }
  }

  const forget = (number: number, id: ItemId) => {
    for (const each of [known, unread?.known]) {
      each?.numbers.delete(number)
      each?.names.delete(id)
    }
  }

  const now = monotonicMillis

  const readOn = Effect.fnUntraced(function*(slot?: Slot) {
    const before = unread ?? { known: nothing(), next: Option.none<string>(), pages: 0 }
    if (before.pages === 0) newestAt = yield* now
    const { items, next } = yield* page(Option.getOrUndefined(before.next), slot)
    note(before.known, items)
    const pages = before.pages + 1
    if (Option.isSome(next) && !Option.contains(before.next, next.value) && pages < mostPages) {
      unread = { known: before.known, next, pages }
    } else {
      known = before.known
      completeAt = newestAt
      unread = undefined
    }
    return items
  })

  const readNewest = Effect.fnUntraced(function*(slot?: Slot) {
    const at = yield* now
    const { items, next } = yield* page(undefined, slot)
    const meets = Option.isNone(next) || items.some(({ id, number }) => known.numbers.get(number) === id)
    note(known, items)
    newestAt = at
    // More are new than a page has.
    if (!meets) unread = { known: nothing(), next, pages: 1 }
    if (unread !== undefined) note(unread.known, items)
    return items
  })

  const numbered = (key: WorkItemKey) => known.numbers.get(key.number) ?? unread?.known.numbers.get(key.number)

  /** Reads a page, unless what is known is as new as the question. */
  const readMore = Effect.fnUntraced(function*(asked: MonotonicMillis, slot?: Slot) {
    const at = yield* now
    const isDue = completeAt === undefined || at - completeAt >= readAllEvery
    if (isDue || unread !== undefined) return yield* readOn(slot)
    const isAsNew = newestAt !== undefined && newestAt >= asked && at - newestAt < newestServesFor
    return isAsNew ? [] : yield* readNewest(slot)
  })

  const ambiguous = (key: WorkItemKey, named: ReadonlyArray<readonly [ItemId, { name: string; number: number }]>) =>
    new AmbiguousName({
      key: key.written,
      items: named.map(([id, { name, number }]) => ({ id, name, key: keyIn(project, number) })),
      more: false
    })

  /** The id that a list which is read to its end gives. */
  const decide = (key: WorkItemKey): Effect.Effect<ItemId, WorkItemNotFound | AmbiguousName> => {
    const number = numbered(key)
    if (!key.zeros && number !== undefined) return Effect.succeed(number)
    const named = Array.from(known.names).filter(([, { name }]) => key.isNamedIn(name))
    if (named.length > 1) return ambiguous(key, named)
    const id = named[0]?.[0] ?? number
    return id === undefined ? new WorkItemNotFound({ key: key.written }) : Effect.succeed(id)
  }

  const look = Effect.fnUntraced(function*(key: WorkItemKey, asked: MonotonicMillis, slot?: Slot) {
    const isKnown = !key.zeros && numbered(key) !== undefined
    const items = isKnown ? [] : yield* readMore(asked, slot)
    const isDecided = unread === undefined || (!key.zeros && numbered(key) !== undefined)
    if (!isDecided) {
      waiting.set(key.normalized, asked)
      return yield* new ListUnread({ key: key.written, pages: unread?.pages ?? 0 })
    }
    waiting.delete(key.normalized)
    const id = yield* decide(key)
    const item = items.find((item) => item.id === id)
    return { id, item, isSlotUsed: items.length > 0 }
  })

  return Effect.fn("PlaneClient.findInList")(function*(key, slot) {
    const asked = waiting.get(key.normalized) ?? (yield* now)
    const { id, isSlotUsed, item } = yield* onlyOne.withPermits(1)(look(key, asked, slot))
    if (item !== undefined) return item
    return yield* Effect.catchIf(
      read(id, isSlotUsed ? undefined : slot),
      ({ reason }) => reason === "NotFound",
      () => {
        forget(key.number, id)
        return new WorkItemNotFound({ key: key.written })
      }
    )
  })
}
