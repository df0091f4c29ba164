import { Context, Effect, Layer } from "effect"
import { cleanLine, reasonLimit, textLimit } from "../base/Text.js"
import type { Source } from "./WebhookConfig.js"

/** Hooks of one kind that nothing was done with, since the program was started. */
export interface SkippedKind {
  /** What the sender calls it, like "push", or what is wrong with it. */
  readonly kind: string
  readonly count: number
  /** Why the latest of them was skipped. */
  readonly why: string
}

/** A hook that nothing is done with. */
export interface SkippedHook {
  readonly source: Source
  readonly kind: string
  readonly why: string
  /** It should have been understood. */
  readonly isUnreadable?: boolean
}

/** The kinds that are told apart, of each sender. What comes after them is counted as `otherKind`. */
const mostKinds = 50
const otherKind = "other"

/** Counts by kind the hooks that nothing is done with, and logs the first of each kind. */
export class SkippedHooks extends Context.Tag("plane-sync/SkippedHooks")<SkippedHooks, {
  readonly note: (hook: SkippedHook) => Effect.Effect<void>
  /** The kinds in the order in which they first came. */
  readonly counts: Effect.Effect<Readonly<Record<Source, ReadonlyArray<SkippedKind>>>>
}>() {
  static readonly layer: Layer.Layer<SkippedHooks> = Layer.sync(SkippedHooks, () => make())
}

const make = () => {
  const kinds: Readonly<Record<Source, Map<string, SkippedKind>>> = { plane: new Map(), gitea: new Map() }

  const kindOf = (source: Source, given: string) => {
    const kind = cleanLine(given, textLimit) || "no type"
    return kinds[source].has(kind) || kinds[source].size < mostKinds ? kind : otherKind
  }

  return SkippedHooks.of({
    note: ({ isUnreadable = false, kind: given, source, why: reason }) =>
      Effect.suspend(() => {
        const kind = kindOf(source, given)
        const why = cleanLine(reason, reasonLimit)
        const before = kinds[source].get(kind)
        kinds[source].set(kind, { kind, count: (before?.count ?? 0) + 1, why })
        if (before !== undefined) return Effect.void
        const line = `A hook of ${source} is skipped (${
          JSON.stringify(kind)
        }): ${why}. /health counts its kind from now on`
        return isUnreadable ? Effect.logWarning(line) : Effect.logInfo(line)
      }).pipe(Effect.annotateLogs({ service: "Webhooks" })),
    counts: Effect.sync(() => ({
      plane: Array.from(kinds.plane.values()),
      gitea: Array.from(kinds.gitea.values())
    }))
  })
}
