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
  /** Empty: those whose keys begin with no project. Undefined: all. */
  readonly project: string | undefined
  /** "hour", "day" or "" for any time; or an instant, for a filter that somebody else has made. */
  readonly since: string
  readonly until: string
}

export const chosenOf = (query: URLSearchParams): Chosen => ({
  code: query.get("code") ?? "",
  project: query.get("project") ?? undefined,
  since: query.get("since") ?? "",
  until: query.get("until") ?? ""
})

/** The address of the dead letters that are chosen. */
export const deadAt = ({ code, project, since, until }: {
  readonly [Name in keyof Chosen]: Chosen[Name] | null
}): string => {
  const query = new URLSearchParams()
  if (code) query.set("code", code)
  if (typeof project === "string") query.set("project", project)
  if (since) query.set("since", since)
  if (until) query.set("until", until)
  return query.size === 0 ? "#/dead" : `#/dead?${query}`
}

const spans: Readonly<Record<string, number>> = { hour: 3_600_000, day: 86_400_000 }

/** The filter as the API takes it. `now` in milliseconds. */
export const filterOf = ({ code, project, since, until }: Chosen, now: number): Filter => {
  const span = spans[since]
  return {
    code: code === "" ? null : code,
    project: project ?? null,
    since: span === undefined ? (since === "" ? null : since) : new Date(now - span).toISOString(),
    until: until === "" ? null : until,
    upTo: null
  }
}
