import type { SqlError } from "@effect/sql/SqlError"
import { Effect, Option } from "effect"
import { makeEventLoopTurn } from "../base/EventLoopTurn.js"
import type { EpochMillis } from "../base/Time.js"
import { epochMillis } from "../base/Time.js"
import { EventSequence } from "../domain/Ids.js"
import { metrics } from "../metrics/Metrics.js"
import { flag } from "../storage/Dialect.js"
import type { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import { claim } from "./Claim.js"
import type { Covers } from "./Covers.js"
import { covers } from "./Covers.js"
import { deadLetterBatch } from "./DeadLetters.js"
import { fold, foldAll, foldBatch, hasNew, lastNew } from "./Fold.js"
import type { Job } from "./Job.js"
import { buryAhead } from "./LaneDeath.js"
import { ifLeader, LeadershipLost } from "./Leader.js"
import type { SendOutcome, Settlement } from "./Outcome.js"
import type { ClaimPolicy } from "./Plan.js"
import { settle } from "./Settlement.js"
import type { Tally } from "./Tally.js"
import { makeTally } from "./Tally.js"
import { everythingElse, keepTurnsAway } from "./Turns.js"

/** Whose turn it is: the holder of a term, and the projects whose rows it has. */
export interface Share {
  readonly holder: string
  /** `everythingElse` if nothing is said. */
  readonly projects?: ReadonlyArray<string>
}

/** The transactions of leaders, and those that come between them. */
export interface Turns {
  readonly turn: (
    options: Share & {
      readonly settlement?: Settlement | undefined
      readonly claim?: ClaimPolicy | undefined
    }
  ) => Effect.Effect<Job | undefined, StorageError | LeadershipLost>
  readonly fold: (share: Share) => Effect.Effect<void, StorageError | LeadershipLost>
  /** Runs `work` while no leader has a turn. */
  readonly betweenTurns: <A>(work: (tally: Tally) => Effect.Effect<A, SqlError>) => Effect.Effect<A, StorageError>
}

interface Turn {
  readonly tally: Tally
  readonly now: EpochMillis
  /** Whether something is to be folded. */
  readonly hasNew: boolean
  readonly covered: Covers
}

const outcomes = {
  Delivered: "done",
  Taken: "done",
  Later: "later",
  Dead: "dead",
  LaneDead: "dead",
  Left: "left",
  Withheld: "withheld",
  Split: "split",
  CommentGone: "gone"
} as const satisfies Readonly<Record<SendOutcome["_tag"], string>>

const countSending = (settlement: Settlement | undefined) => {
  if (settlement?._tag !== "Sent") return
  metrics.deliveries.add({ kind: settlement.job.delivery.kind, outcome: outcomes[settlement.outcome._tag] })
}

/** See `Outbox`. */
export const makeTurns = ({ read, sql, write }: Storage["Type"]): Effect.Effect<Turns> =>
  Effect.map(makeEventLoopTurn, (eventLoopTurn) => {
    /**
     * Runs `work` in a transaction, and writes the sums that its changes to events add up to; on Postgres, into rows that
     * only turns of the same share write, so that they do not wait for each other.
     */
    const tallied = <A, E>(share: string, work: (tally: Tally) => Effect.Effect<A, SqlError | E>) =>
      Effect.suspend(() => {
        const tally = makeTally(sql, share)
        return Effect.map(Effect.zipLeft(work(tally), tally.write), (value) => ({ value, count: tally.count }))
      })

    const counted = <A>({ count, value }: { readonly value: A; readonly count: () => void }) => {
      count()
      return value
    }

    const betweenTurns = <A>(work: (tally: Tally) => Effect.Effect<A, SqlError>) =>
      Effect.map(write(Effect.zipRight(keepTurnsAway(sql), tallied(everythingElse, work))), counted)

    /** A transaction of a leader. Nothing of it is stored if another process has taken over. */
    const asLeader = <A>(
      { holder, projects = [everythingElse] }: Share,
      work: (turn: Turn) => Effect.Effect<A, SqlError>
    ) => {
      const covered = covers(sql, { holder, projects })
      return Effect.map(
        write(tallied(projects[0] ?? everythingElse, (tally) =>
          Effect.gen(function*() {
            const now = yield* epochMillis
            const row = yield* ifLeader<{ readonly hasNew: number }>(
              sql,
              { holder, projects },
              now,
              sql`${flag(sql, hasNew(sql, covered))} AS "hasNew"`
            )
            return row === undefined
              ? Option.none<A>()
              : Option.some(yield* work({ tally, now, hasNew: row.hasNew === 1, covered }))
          }))),
        counted
      ).pipe(
        Effect.flatMap(Option.match({ onNone: () => Effect.fail(new LeadershipLost()), onSome: Effect.succeed }))
      )
    }

    /**
     * Folds what is new by now, in short transactions, so that publishing goes on in between. What is published meanwhile
     * is left to the next time, because it may never end.
     */
    const foldAhead = (share: Share) =>
      Effect.gen(function*() {
        const upTo = yield* read(lastNew(sql, covers(sql, { projects: [everythingElse], ...share })))
        if (upTo === undefined) return
        for (let last: EventSequence | undefined = EventSequence(0); last !== undefined && last < upTo;) {
          last = (yield* asLeader(share, ({ covered, tally }) => fold(sql, tally, covered))).last
        }
      })

    const buryMost = (share: Share, settlement: Settlement) =>
      Effect.gen(function*() {
        const batch = asLeader(
          share,
          ({ covered, now, tally }) =>
            Effect.zipRight(
              foldAll(sql, tally, covered),
              buryAhead(sql, tally, settlement, now, deadLetterBatch(sql))
            )
        )
        while ((yield* batch) === deadLetterBatch(sql));
      })

    const turn: Turns["turn"] = ({ claim: claimed, settlement, ...share }) =>
      Effect.gen(function*() {
        if (settlement !== undefined) yield* eventLoopTurn
        if (settlement?.outcome._tag === "LaneDead") {
          yield* foldAhead(share)
          yield* buryMost(share, settlement)
        }
        const work = ({ now, tally }: Turn) =>
          Effect.gen(function*() {
            if (settlement !== undefined) yield* settle(sql, tally, settlement, now)
            return claimed === undefined ? undefined : yield* claim(sql, tally, share.holder, claimed, now)
          })
        const atOnce = yield* asLeader(share, (turn) =>
          Effect.flatMap(
            turn.hasNew ? fold(sql, turn.tally, turn.covered) : Effect.succeed({ count: 0 }),
            ({ count }) => count < foldBatch ? Effect.asSome(work(turn)) : Effect.succeedNone
          ))
        if (Option.isSome(atOnce)) return atOnce.value
        yield* foldAhead(share)
        return yield* asLeader(share, (turn) => Effect.zipRight(foldAll(sql, turn.tally, turn.covered), work(turn)))
      }).pipe(Effect.tap(() => Effect.sync(() => countSending(settlement))))

    return { betweenTurns, fold: foldAhead, turn }
  })
