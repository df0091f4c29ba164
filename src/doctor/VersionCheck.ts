import { Effect } from "effect"
import type { Instance } from "../plane/Instance.js"
import { echoesSince, isAtLeast } from "../plane/Instance.js"
import type { Lookups } from "../plane/Lookups.js"
import { askLookups } from "../plane/Lookups.js"
import type { Finding, Outcome } from "./Finding.js"
import { found, Passed, Warned } from "./Finding.js"
import type { PlaneAccess } from "./PlaneAccess.js"
import { refusedBy } from "./PlaneAccess.js"

const echoes = (instance: Instance | undefined) =>
  instance === undefined
    ? "whether its webhooks tell of what plane-sync writes is not known"
    : isAtLeast(instance.version, echoesSince)
    ? "its webhooks also tell of what plane-sync writes"
    : "its webhooks do not tell of what plane-sync writes (since 1.3.0)"

const ways = ({ byNumber, bySearch, family }: Lookups, instance: Instance | undefined): Finding => {
  const name = instance === undefined
    ? "a Plane that does not tell its version"
    : `Plane ${instance.version}${instance.edition === "" ? "" : ` (${instance.edition})`}`
  const paths = `paths are /${family}/`
  if (byNumber && bySearch) {
    return Passed({ seen: `${name}: ${paths}, keys are found by one request, ${echoes(instance)}` })
  }
  const lacks = [...(byNumber ? [] : ["no request by key"]), ...(bySearch ? [] : ["no search"])].join(" and ")
  return Warned({
    seen:
      `${name}: ${paths}, and it has ${lacks}, so ${byNumber ? "keys with leading zeros" : "keys"} are looked for ` +
      `in the list of all work items; ${echoes(instance)}`,
    mend: "update Plane to 1.1 or newer, if looking for keys takes too long in a large project"
  })
}

/** What this version of Plane can, and what it lacks. */
export const checkVersion = (
  { ask, current, exchange }: PlaneAccess,
  instance: Instance | undefined
): Effect.Effect<Outcome<never>> =>
  Effect.match(ask(3, askLookups(current, exchange)), {
    onFailure: (error) => found(refusedBy(error)),
    onSuccess: (lookups) => found(ways(lookups, instance))
  })
