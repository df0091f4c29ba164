import type { Exit } from "effect"
import { Exit as Ended } from "effect"
import { metrics } from "../metrics/Metrics.js"
import type { Ask } from "./Exchange.js"

/** What the paths of Plane's API are made of. Whatever else stands there is an id. */
const nouns = new Map([
  ...["workspaces", "projects", "states", "members", "users", "me", "work-items", "comments", "links", "activities"]
    .map((noun) => [noun, noun] as const),
  ["search", "work-items/search"],
  // Their name before Plane 1.1.
  ["issues", "work-items"]
])

/** What a request is about, without ids: "PATCH work-items/{id}". */
export const operationOf = ({ method, path }: Pick<Ask, "method" | "path">): string => {
  const at = path.findLastIndex((part) => nouns.has(part))
  const noun = nouns.get(path[at] ?? "") ?? "other"
  return `${method} ${noun}${at >= 0 && at < path.length - 1 ? "/{id}" : ""}`
}

/** Counts a request that was sent, and how long it took. */
export const countRequest = (
  ask: Pick<Ask, "method" | "path">,
  exit: Exit.Exit<{ readonly status: number }, unknown>,
  seconds: number
): void => {
  const answer = Ended.isSuccess(exit) ? String(exit.value.status) : "none"
  metrics.requests.add({ operation: operationOf(ask), answer })
  metrics.requestTime.observe({}, seconds)
}
