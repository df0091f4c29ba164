import type { Filter } from "./Wire.js"

/** Where in the page a person is: what stands behind the `#` of its address. */
export type Route =
  /** The first screen, or a section of it. */
  | { readonly _tag: "Overview"; readonly section: string; readonly query: URLSearchParams }
  | { readonly _tag: "Item"; readonly key: string }

export const routeOf = (hash: string): Route => {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?")
  const [section = "", key = ""] = path.split("/")
  return section === "item" && key !== ""
    ? { _tag: "Item", key: decoded(key) }
    : { _tag: "Overview", section, query: new URLSearchParams(query) }
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Which dead letters are asked for. */
export interface Chosen {
  readonly code: string
  readonly project: string
  /** "hour", "day" or "" for any time; or an instant, for a filter that somebody else has made. */
  readonly since: string
  readonly until: string
}

export const chosenOf = (query: URLSearchParams): Chosen => ({
  code: query.get("code") ?? "",
  project: query.get("project") ?? "",
  since: query.get("since") ?? "",
  until: query.get("until") ?? ""
})

/** The address of the dead letters that are chosen. */
export const deadAt = (chosen: Partial<{ readonly [Name in keyof Chosen]: string | null }>): string => {
  const pairs = Object.entries(chosen).flatMap(([name, value]) => value ? [[name, value]] : [])
  return pairs.length === 0 ? "#/dead" : `#/dead?${new URLSearchParams(pairs)}`
}

const spans: Readonly<Record<string, number>> = { hour: 3_600_000, day: 86_400_000 }

/** The filter as the API takes it. `now` in milliseconds. */
export const filterOf = ({ code, project, since, until }: Chosen, now: number): Filter => {
  const span = spans[since]
  return {
    code: code === "" ? null : code,
    project: project === "" ? null : project,
    since: span === undefined ? (since === "" ? null : since) : new Date(now - span).toISOString(),
    until: until === "" ? null : until,
    upTo: null
  }
}
