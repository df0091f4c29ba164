import type { Scope } from "effect"
import { Effect } from "effect"
import { answerProbe, openProbeRequest } from "../outbox/ProbeRequests.js"
import type { Storage } from "../storage/Storage.js"
import type { WakeUps } from "../storage/WakeUps.js"
import type { ProjectStatus } from "./PlaneSync.js"

/** How often it is looked for requests, at most. Other changes of other processes are found as often. */
const lookEvery = "500 millis"

/**
 * Answers those who ask, by the file, that Plane is looked at now (`plane-sync probe`), until the scope closes. While
 * storage fails, it tries again each second.
 */
export const answerProbeRequests = (
  { holder, probe, storage, wakeUps }: {
    /** Sends the probes of this leader's projects. */
    readonly probe: Effect.Effect<ReadonlyArray<ProjectStatus>>
    readonly holder: string
    readonly storage: Storage["Type"]
    readonly wakeUps: WakeUps["Type"]
  }
): Effect.Effect<void, never, Scope.Scope> => {
  const { retry } = storage.trouble
  const turn = Effect.gen(function*() {
    const mark = yield* wakeUps.mark
    const asked = yield* retry(openProbeRequest(storage, holder))
    if (asked !== undefined) {
      const reasons = (yield* probe).flatMap(({ destination }) => destination.open ? [] : [destination.reason])
      const reason = reasons.length === 0 ? null : Array.from(new Set(reasons)).join("; ")
      yield* retry(answerProbe(storage, holder, { asked, open: reason === null, reason }))
    }
    yield* wakeUps.since(mark)
    yield* Effect.sleep(lookEvery)
  })
  return Effect.asVoid(Effect.forkScoped(Effect.forever(turn)))
}
