import type { Verdict } from "../../demo/Judge.js"
import type { Counts } from "./Load.js"
import type { Recorded } from "./Plane.js"

/** What the run did to the program and to its requests. */
export interface Strain {
  readonly kills: number
  /** Kills that cut off a request to Plane. */
  readonly inFlight: number
  /** Writes whose answer does not tell whether they were done. */
  readonly ambiguous: number
  /** Those of them that were. */
  readonly applied: number
  /** Comments that Plane already had, sent again: answered 409. */
  readonly conflicts: number
  readonly requests: number
}

const isWrite = ({ method }: Recorded) => method === "POST" || method === "PATCH"

// Late, it is answered as ever; it is the client that has left by then, or has not.
const isAmbiguous = (request: Recorded) =>
  isWrite(request) && (request.clientGone || (request.fault !== null && request.fault !== "ApplyLate"))

/**
 * From what the simulator recorded. `kills` are their moments, and `timeoutMillis` is how long a request can last: one whose
 * client has left within it of a kill was cut off by that kill, for nobody was there to give up.
 */
export const strainOf = (options: {
  readonly requests: ReadonlyArray<Recorded>
  readonly kills: ReadonlyArray<number>
  readonly timeoutMillis: number
}): Strain => {
  const { kills, requests, timeoutMillis } = options
  const left = requests.filter(({ clientGone }) => clientGone)
  const ambiguous = requests.filter(isAmbiguous)
  return {
    kills: kills.length,
    inFlight: kills.filter((moment) => left.some(({ at }) => at <= moment && moment < at + timeoutMillis)).length,
    ambiguous: ambiguous.length,
    applied: ambiguous.filter(({ applied }) => applied).length,
    conflicts:
      requests.filter(({ clientGone, fault, kind, status }) =>
        kind === "comments" && status === 409 && fault === null && !clientGone
      ).length,
    requests: requests.length
  }
}

/** Why the run fails, in words; empty: it does not. A strain that was not there has shown nothing. */
export const problemsOf = (strain: Strain, counts: Counts, verdict: Verdict): ReadonlyArray<string> => {
  const all = [
    ...verdict.lost.map((line) => `lost: ${line}`),
    ...verdict.doubled.map((line) => `doubled: ${line}`),
    ...verdict.outOfOrder.map((line) => `out of order: ${line}`),
    ...verdict.wrongState.map((line) => `wrong state: ${line}`),
    ...verdict.unexpected.map((line) => `never published: ${line}`)
  ]
  const nothing: ReadonlyArray<readonly [count: number, of: string]> = [
    [counts.accepted, "events accepted"],
    [strain.kills, "kills"],
    [strain.inFlight, "kills with requests in flight"],
    [strain.applied, "ambiguous answers to what was applied"],
    [strain.conflicts, "409s adopted"]
  ]
  return [...all, ...nothing.flatMap(([count, of]) => count > 0 ? [] : [`this run proves nothing: no ${of}`])]
}

/** The end of the run. Its last line is for whoever reads only that. */
export const closing = (strain: Strain, counts: Counts, verdict: Verdict): ReadonlyArray<string> => [
  `requests ${strain.requests}, ambiguous answers ${strain.ambiguous} (applied all the same: ${strain.applied}), ` +
  `409s adopted ${strain.conflicts}, kills with requests in flight ${strain.inFlight}`,
  `publishes sent again ${counts.resent}, of these committed before (duplicate) ${counts.duplicates}`,
  `kills ${strain.kills}, accepted ${counts.accepted}, lost ${verdict.lost.length}, doubled ${verdict.doubled.length}, ` +
  `out of order ${verdict.outOfOrder.length}, wrong state ${verdict.wrongState.length}`
]
