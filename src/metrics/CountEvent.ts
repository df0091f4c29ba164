import type { EventKind } from "./Metrics.js"
import { eventKinds, metrics } from "./Metrics.js"

const outcomes = (kind: EventKind) => ({
  stored: metrics.events.adder({ kind, outcome: "stored" }),
  duplicate: metrics.events.adder({ kind, outcome: "duplicate" }),
  conflict: metrics.events.adder({ kind, outcome: "conflict" }),
  unfit: metrics.events.adder({ kind, outcome: "unfit" }),
  not_stored: metrics.events.adder({ kind, outcome: "not_stored" })
})

// Each publish comes here, so nothing is looked up but its kind.
const kinds = new Map<string, ReturnType<typeof outcomes>>(eventKinds.map((kind) => [kind, outcomes(kind)]))
const other = outcomes("other")

const begins = "{\"type\":\""

/** The type of an event by its JSON, of which it is the first field. One that can never be told may have any. */
const kindOf = (body: string) =>
  body.startsWith(begins) ? kinds.get(body.slice(begins.length, body.indexOf("\"", begins.length))) ?? other : other

/** Counts an event that was published, and what came of it. */
export const countEvent = (body: string, outcome: keyof ReturnType<typeof outcomes>): void => kindOf(body)[outcome]()
