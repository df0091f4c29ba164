import type { StateChange } from "../../src/simulator/PlaneSimulator.js"

/** A stage that was published, by the name of the state it asks for. Moments are Plane's, in milliseconds. */
export interface Asked {
  readonly at: number
  readonly state: string
}

/** What a person did to a work item. */
export interface Move {
  readonly at: number
  readonly to: string
  /** How many stages had been published before it. */
  readonly after: number
  /** Nothing was owed to Plane, nothing in flight, and nothing a dead letter. */
  readonly atRest: boolean
}

/** What Plane has recorded about a work item, and what it was asked for. */
export interface Told {
  readonly initial: string
  /** Who moves it, when it is no person. */
  readonly bot: string
  readonly asked: ReadonlyArray<Asked>
  /** Those that changed something. */
  readonly moves: ReadonlyArray<Move>
  readonly changes: ReadonlyArray<StateChange>
  /** When a PATCH of its state arrived. */
  readonly patches: ReadonlyArray<number>
  /** When somebody was told to wait, by a 429: so long can a PATCH be behind its look. */
  readonly heldUp: ReadonlyArray<number>
}

/** How long a look, or an answered PATCH, is relied on. */
const relied = 30_000

/** How long a PATCH is held up by a 429 at most. */
const heldUpFor = 60_000

/** PATCHes to a work item that a person had cancelled longer before than anything is relied on. */
export const overCancels = ({ bot, changes, heldUp, patches }: Told): ReadonlyArray<string> =>
  changes.flatMap(({ at, by, to }, index) => {
    if (by === bot || to.name !== "Cancelled") return []
    const next = changes[index + 1]
    const end = next?.at ?? Infinity
    return patches
      // In one millisecond a person may have moved it on before; the PATCH that did is one of these.
      .filter((sent) => sent >= at + relied && (sent < end || (sent === end && next?.by === bot)))
      .filter((sent) => !heldUp.some((held) => held >= at - heldUpFor && held <= sent))
      .map((sent) => `a PATCH ${sent - at} ms after a person's cancel`)
  })

/**
 * Whether a cancel has kept back the state that was asked for last before a move. Then the same state is set when it is
 * asked for again.
 */
const keptBack = (moves: ReadonlyArray<Move>, move: Move): "never" | "perhaps" | "surely" => {
  const earlier = moves.slice(0, moves.indexOf(move))
  if (earlier.findLast(({ after }) => after < move.after)?.to === "Cancelled") return "surely"
  const isHit = earlier.some(({ after, atRest, to }) => after === move.after && !atRest && to === "Cancelled")
  return isHit ? "perhaps" : "never"
}

/**
 * The state that a work item must be in, once all is told. It is that of the latest stage, and where a person moved it
 * last: that one's, as long as no stage with another state, or one that a cancel has kept back, was published after
 * that. What was owed or in flight when a
 * person moved it may have gone before or after, so either may stand then; and a cancel may always.
 */
export const stateOf = ({ asked, bot, changes, initial, moves }: Told): string => {
  const latest = asked.at(-1)?.state ?? initial
  const last = changes.at(-1)
  const move = moves.at(-1)
  if (move === undefined || last === undefined) return latest
  const before = keptBack(moves, move) === "surely" ? undefined : asked[move.after - 1]?.state
  const other = asked.slice(move.after).find(({ state }) => state !== before)
  if (move.atRest && other === undefined && keptBack(moves, move) === "never") return move.to
  if (last.by === bot) return latest
  const seen = other !== undefined && other.at >= move.at + relied
  return move.atRest && move.to !== "Cancelled" && seen && latest !== before ? latest : move.to
}
