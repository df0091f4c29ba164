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

const has = (value: unknown, ...names: ReadonlyArray<string>): boolean =>
  typeof value === "object" && value !== null && names.every((name) => name in value)

/** Fails for what is no answer of this program, such as a proxy's. What is one has the types of this version. */
const checked = async <A>(answer: Response, is: (value: unknown) => value is A): Promise<A> => {
  const text = await (await succeeded(answer)).text()
  try {
    const value: unknown = JSON.parse(text)
    if (is(value)) return value
  } catch {
    // It is told below, in words that say more.
  }
  throw new Refused(answer.status, `${new URL(answer.url).pathname} was not answered by plane-sync`)
}

/** Reading takes no longer than this; what is said about a longer wait is that it is stale. */
const patience = 20_000

const get = async <A>(path: string, is: (value: unknown) => value is A): Promise<A> => {
  const headers = headersOf(token.read())
  return checked(await ask(path, { headers, signal: AbortSignal.timeout(patience) }), is)
}

const post = async <A>(
  path: string,
  body: unknown,
  given: string,
  is: (value: unknown) => value is A
): Promise<A> => {
  const headers = { ...headersOf(given), "content-type": "application/json" }
  const init = { method: "POST", headers, body: JSON.stringify(body), signal: AbortSignal.timeout(60_000) }
  return checked(await ask(path, init), is)
}

type Given = Readonly<Record<string, string | number | null | undefined>>

const query = (given: Given): string => {
  const pairs = Object.entries(given).filter(([, value]) => value !== null && value !== undefined)
  return pairs.length === 0 ? "" : `?${new URLSearchParams(pairs.map(([name, value]) => [name, String(value)]))}`
}

const known = (filter: Filter): Given =>
  Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== null))

// All addresses are relative, because a host may serve the page under a path of its own.

export const readOverview = (): Promise<Overview> =>
  get("api/overview", (value): value is Overview => has(value, "headline", "needs", "projects"))
export const readBoard = (given: Given): Promise<Board> =>
  get(`api/board${query(given)}`, (value): value is Board => has(value, "project", "stages"))
export const readHistory = (): Promise<History> =>
  get("api/history", (value): value is History => has(value, "since", "buckets"))
export const readWorkItem = (key: string): Promise<WorkItem> =>
  get(
    `api/work-items/${encodeURIComponent(key)}?limit=200`,
    (value): value is WorkItem => has(value, "story", "deliveries", "next")
  )
export const readTask = (key: string): Promise<Task> =>
  get(`api/tasks/${encodeURIComponent(key)}`, (value): value is Task => has(value, "stage", "verdicts", "receipt"))
export const readLetters = (filter: Filter, cursor: number | null): Promise<Letters> =>
  get(
    `api/deliveries${query({ ...filter, cursor, limit: 20 })}`,
    (value): value is Letters => has(value, "deliveries", "total")
  )

/** The stream of what changes. */
export const openLive = async (signal: AbortSignal): Promise<Response> =>
  succeeded(await ask("api/live", { headers: headersOf(token.read()), signal }))

// What overrules is sent with the token that is given, which may be the operator's.

interface Retried {
  readonly retried: number
}
interface Discarded {
  readonly discarded: number
}
interface Probed {
  readonly project: string
  readonly state: string
  readonly reason?: string
}

const isRetried = (value: unknown): value is Retried => has(value, "retried")
const isDiscarded = (value: unknown): value is Discarded => has(value, "discarded")

export const retryLetters = (filter: Filter, given: string): Promise<Retried> =>
  post("api/deliveries/retry", known(filter), given, isRetried)
export const discardLetters = (filter: Filter, given: string): Promise<Discarded> =>
  post("api/deliveries/discard", known(filter), given, isDiscarded)
export const retryLetter = (id: number, given: string): Promise<Retried> =>
  post(`api/deliveries/${id}/retry`, {}, given, isRetried)
export const discardLetter = (id: number, given: string): Promise<Discarded> =>
  post(`api/deliveries/${id}/discard`, {}, given, isDiscarded)
export const probe = (given: string): Promise<ReadonlyArray<Probed>> =>
  post(
    "api/probe",
    {},
    given,
    (value): value is ReadonlyArray<Probed> =>
      Array.isArray(value) && value.every((one) => has(one, "project", "state"))
  )
