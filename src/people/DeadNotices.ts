import type { ConfigError, DateTime } from "effect"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { utc } from "../base/Time.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import { WakeUps } from "../storage/WakeUps.js"
import { noticeConfig } from "./NoticeConfig.js"
import type { NoticeDocument, NoticeKind } from "./Notices.js"
import { noticeOfBody } from "./Notices.js"
import type { StoredDeadNotice } from "./NoticesGivenUp.js"
import { countDead, discardDead, readDead, retryDead } from "./NoticesGivenUp.js"

/** A notice that is not sent any more by itself. */
export interface DeadNotice {
  readonly id: number
  readonly kind: NoticeKind
  /** What it says. None if this version cannot read it, because another one has stored it. */
  readonly document: Option.Option<NoticeDocument>
  /** Why the last try has failed, for people. It has no address. */
  readonly reason: string
  readonly attempts: number
  /** Since when it is not sent any more. */
  readonly deadSince: DateTime.Utc
}

/** There is no dead notice with this id. There may have been one that was retried or discarded. */
export class NoDeadNotice extends Schema.TaggedError<NoDeadNotice>()("NoDeadNotice", { id: Schema.Number }) {
  override get message(): string {
    return `${this.id} is not the id of a notice that was given up`
  }
}

/** It would call somebody for what nobody is needed for any more. */
export class NoticeOver extends Schema.TaggedError<NoticeOver>()("NoticeOver", { id: Schema.Number }) {
  override get message(): string {
    return `The notice ${this.id} calls for what nobody is needed for any more: it cannot be retried, only discarded`
  }
}

/** The notices that were given up, until a person, or the host, decides. They are kept until then. */
export class DeadNotices extends Context.Tag("plane-sync/DeadNotices")<DeadNotices, {
  /** A page of them, newest first. `cursor` is the id of the last one of the page before. */
  readonly list: (query?: {
    /** 100 by default. */
    readonly limit?: number | undefined
    readonly cursor?: number | undefined
  }) => Effect.Effect<ReadonlyArray<DeadNotice>, StorageError>
  /** How many there are, up to 1,000: more are not counted. */
  readonly count: Effect.Effect<number, StorageError>
  /**
   * Sends one again, in its old place, as often as a new one. `NoticeOver`: it calls for what nobody is needed for any
   * more, and stays as it is.
   */
  readonly retry: (id: number) => Effect.Effect<void, StorageError | NoDeadNotice | NoticeOver>
  /** The same for all, and how many they were. `NoticeOver`: there are some, and all of them are over. */
  readonly retryAll: Effect.Effect<number, StorageError | NoticeOver>
  /** Discards one: it is never sent. */
  readonly discard: (id: number) => Effect.Effect<void, StorageError | NoDeadNotice>
  /** Discards all, and returns how many they were. */
  readonly discardAll: Effect.Effect<number, StorageError>
  /** The host of `ORCH_NOTICE_URL`, where a retry sends it. None if that is not set: then it waits until it is. */
  readonly host: Option.Option<string>
}>() {
  static readonly layer: Layer.Layer<DeadNotices, ConfigError.ConfigError, Storage | WakeUps> = Layer.effect(
    DeadNotices,
    Effect.suspend(() => make)
  )
}

const shown = ({ attempts, body, id, kind, reason, settledAt }: StoredDeadNotice): DeadNotice => ({
  id,
  kind,
  document: noticeOfBody(body),
  reason,
  attempts,
  deadSince: utc(settledAt)
})

const make = Effect.gen(function*() {
  const { read, sql, write } = yield* Storage
  const { notify } = yield* WakeUps

  /** Each that is there at the beginning, once: what is retried may be given up again at once. */
  const inBatches = (batch: typeof retryDead) =>
    Effect.gen(function*() {
      const [newest] = yield* read(readDead(sql, { limit: 1 }))
      let sum = 0
      let after = 0
      for (;;) {
        const done = yield* write(batch(sql, { after, upTo: newest?.id ?? 0 }))
        if (done.length === 0) return sum
        sum += done.length
        after = Math.max(...done)
      }
    })

  const only = (id: number) => ({ after: id - 1, upTo: id })

  return DeadNotices.of({
    list: ({ cursor, limit = 100 } = {}) =>
      Effect.map(read(readDead(sql, { limit, cursor })), (notices) => notices.map(shown)),
    count: read(countDead(sql)),
    retry: (id) =>
      Effect.gen(function*() {
        if ((yield* write(retryDead(sql, only(id)))).length > 0) return yield* notify
        const [left] = yield* read(readDead(sql, { limit: 1, cursor: id + 1 }))
        return yield* left?.id === id ? new NoticeOver({ id }) : new NoDeadNotice({ id })
      }),
    retryAll: Effect.gen(function*() {
      const retried = yield* inBatches(retryDead)
      if (retried > 0) yield* notify
      const [left] = retried > 0 ? [] : yield* read(readDead(sql, { limit: 1 }))
      return left === undefined ? retried : yield* new NoticeOver({ id: left.id })
    }),
    discard: (id) =>
      Effect.flatMap(
        write(discardDead(sql, only(id))),
        ({ length }) => length === 0 ? new NoDeadNotice({ id }) : Effect.void
      ),
    discardAll: inBatches(discardDead),
    host: Option.map(yield* noticeConfig, ({ host }) => host)
  })
})
