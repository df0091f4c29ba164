import type { EventKind } from "./Metrics.js"
import { eventKinds, metrics } from "./Metrics.js"

const kinds = new Map<string, EventKind>(eventKinds.map((kind) => [kind, kind]))

/** The type of an event by its JSON, of which it is the first field. One that can never be told may have any. */
const kindOf = (body: string): EventKind => kinds.get(/^\{"type":"([a-z_]{1,30})"/.exec(body)?.[1] ?? "") ?? "other"

/** Counts an event that was published, and what came of it. */
export const countEvent = (
  body: string,
  outcome: "stored" | "duplicate" | "conflict" | "unfit" | "not_stored"
): void => metrics.events.add({ kind: kindOf(body), outcome })
