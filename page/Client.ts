import type { Board, Filter, History, Letters, Overview, Task, WorkItem } from "./Wire.js"

/** An answer that is no success, in the words of the program, or of the browser when none came (status 0). */
export class Refused extends Error {
  constructor(readonly status: number, message: string) {
    super(message)
  }
}

const tokenKey = "plane-sync.token"

/** The token of this tab. It is in no address, and gone when the tab is closed. */
export const token = {
  read: (): string => sessionStorage.getItem(tokenKey) ?? "",
  keep: (value: string): void => sessionStorage.setItem(tokenKey, value)
}

const headersOf = (given: string): Record<string, string> => given === "" ? {} : { authorization: `Bearer ${given}` }

const wordsOf = (text: string, status: number): string => {
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body === "object" && body !== null && "error" in body) return String(body.error)
  } catch {
    // A proxy in front answers in HTML: its status says enough.
  }
  return `plane-sync answered ${status}`
}

/** Fails if the answer is no success. */
const succeeded = async (response: Response): Promise<Response> => {
  if (!response.ok) throw new Refused(response.status, wordsOf(await response.text(), response.status))
  return response
}

const ask = async (path: string, init: RequestInit): Promise<Response> => {
  try {
    return await fetch(path, { ...init, cache: "no-store" })
  } catch (error) {
    throw new Refused(0, error instanceof Error ? error.message : "no answer")
  }
}

// The page comes from the server that it asks, so their types are of one version. Where a server was updated under an
// open page, `App` asks for a reload.
const parse: <A>(text: string) => A = JSON.parse

/** Reading takes no longer than this; what is said about a longer wait is that it is stale. */
const patience = 20_000

const get = async <A>(path: string): Promise<A> => {
  const headers = headersOf(token.read())
  const answer = await ask(path, { headers, signal: AbortSignal.timeout(patience) })
  return parse(await (await succeeded(answer)).text())
}

const post = async <A>(path: string, body: unknown, given: string): Promise<A> => {
  const headers = { ...headersOf(given), "content-type": "application/json" }
  const init = { method: "POST", headers, body: JSON.stringify(body), signal: AbortSignal.timeout(60_000) }
  return parse(await (await succeeded(await ask(path, init))).text())
}

type Given = Readonly<Record<string, string | number | null | undefined>>

const query = (given: Given): string => {
  const pairs = Object.entries(given).filter(([, value]) => value !== null && value !== undefined && value !== "")
  return pairs.length === 0 ? "" : `?${new URLSearchParams(pairs.map(([name, value]) => [name, String(value)]))}`
}

const known = (filter: Filter): Given => Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== null))

// All addresses are relative, because a host may serve the page under a path of its own.

export const readOverview = (): Promise<Overview> => get("api/overview")
export const readBoard = (given: Given): Promise<Board> => get(`api/board${query(given)}`)
export const readHistory = (): Promise<History> => get("api/history")
export const readWorkItem = (key: string): Promise<WorkItem> =>
  get(`api/work-items/${encodeURIComponent(key)}?limit=200`)
export const readTask = (key: string): Promise<Task> => get(`api/tasks/${encodeURIComponent(key)}`)
export const readLetters = (filter: Filter, cursor: number | null): Promise<Letters> =>
  get(`api/deliveries${query({ ...filter, cursor, limit: 20 })}`)

/** The stream of what changes. */
export const openLive = async (signal: AbortSignal): Promise<Response> =>
  succeeded(await ask("api/live", { headers: headersOf(token.read()), signal }))

// What overrules is sent with the token that is given, which may be the operator's.

export const retryLetters = (filter: Filter, given: string): Promise<{ readonly retried: number }> =>
  post("api/deliveries/retry", known(filter), given)
export const discardLetters = (filter: Filter, given: string): Promise<{ readonly discarded: number }> =>
  post("api/deliveries/discard", known(filter), given)
export const retryLetter = (id: number, given: string): Promise<{ readonly retried: number }> =>
  post(`api/deliveries/${id}/retry`, {}, given)
export const discardLetter = (id: number, given: string): Promise<{ readonly discarded: number }> =>
  post(`api/deliveries/${id}/discard`, {}, given)
export const probe = (
  given: string
): Promise<ReadonlyArray<{ readonly project: string; readonly state: string; readonly reason?: string }>> =>
  post("api/probe", {}, given)
