import { Option, Schema } from "effect"
import type { Recorded } from "./Plane.js"

/** A request that the database says was owed. Moments are those of this machine's clock. */
export interface Planned {
  /** In the order in which they were planned: of a work item, one after the other. */
  readonly id: number
  readonly workItem: string
  readonly kind: "comment" | "recount" | "state"
  readonly externalId: string | null
  /** Of a state: its id. */
  readonly body: string
  /** The comment in Plane. */
  readonly commentId: string | null
  readonly plannedAt: number
}

const Written = Schema.parseJson(Schema.Struct({
  external_id: Schema.optional(Schema.String),
  state: Schema.optional(Schema.String)
}))
const writtenBy = (body: string) => Option.getOrElse(Schema.decodeOption(Written)(body), () => ({}))

interface Write {
  readonly request: Recorded
  readonly delivery: Planned | undefined
}

const isWriteOf = (request: Recorded) => {
  const { external_id, state }: typeof Written.Type = writtenBy(request.body)
  return ({ body, commentId, externalId, kind, plannedAt, workItem }: Planned) =>
    plannedAt <= request.at && request.path.includes(workItem) &&
    (kind === "comment"
      ? request.kind === "comments" && externalId === external_id
      : kind === "state"
      ? request.kind === "item" && body === state
      : request.kind === "comment" && commentId !== null && request.path.includes(commentId))
}

const isWrite = ({ kind, method }: Recorded) =>
  method === "POST" && kind === "comments" || method === "PATCH" && (kind === "item" || kind === "comment")

/** Whether Plane has done it by the moment, and said so. */
const isDoneBefore = (at: number) => ({ request: { answeredAt, clientGone, fault, status } }: Write) =>
  answeredAt !== null && answeredAt < at && !clientGone && fault === null && status !== null &&
  (status < 300 || status === 409)

const said = ({ at, method, path, sequence }: Recorded) =>
  `request ${sequence} at ${new Date(at).toISOString()}: ${method} ${path}`

/**
 * The writes that reached Plane while it still worked on another one of the same work item: it goes on with a request
 * whose sender is gone. Not those that it broke off, of which it is not known when they ended.
 */
export const atOnce = (requests: ReadonlyArray<Recorded>, workItems: ReadonlySet<string>): ReadonlyArray<string> =>
  Array.from(workItems).flatMap((workItem) => {
    let open: { readonly request: Recorded; readonly until: number } | undefined
    const writes = requests.filter((request) => isWrite(request) && request.path.includes(workItem))
    return writes.flatMap((request) => {
      const before = open
      const until = request.answeredAt ?? request.at
      if (before === undefined || until > before.until) open = { request, until }
      return before !== undefined && request.at < before.until
        ? [`${said(request)}, beside ${said(before.request)}`]
        : []
    })
  })

/**
 * The writes that reached Plane although a later one of the same work item was done: a former leader has sent them. And
 * those that the database knows nothing of: somebody has sent what it had not committed to.
 */
export const staleOf = (requests: ReadonlyArray<Recorded>, planned: ReadonlyArray<Planned>) => {
  const ofItem = new Map<string, Array<Planned>>()
  for (const delivery of planned) {
    ofItem.set(delivery.workItem, [...(ofItem.get(delivery.workItem) ?? []), delivery])
  }
  const items = Array.from(ofItem)
  const writes = new Map<string, Array<Write>>()
  const stale: Array<string> = []
  const unplanned: Array<string> = []
  for (const request of requests) {
    if (!isWrite(request)) continue
    const [item = "", deliveries = []] = items.find(([id]) => request.path.includes(id)) ?? []
    const write: Write = { request, delivery: deliveries.findLast(isWriteOf(request)) }
    const before = writes.get(item) ?? []
    const { delivery } = write
    if (delivery === undefined) unplanned.push(said(request))
    else {
      const later = before.filter(isDoneBefore(request.at)).find((each) => (each.delivery?.id ?? 0) > delivery.id)
      if (later !== undefined) stale.push(`${said(request)}, after ${said(later.request)}`)
    }
    writes.set(item, [...before, write])
  }
  return { stale, unplanned }
}

/** The requests that were refused because there were too many, and by no fault that was ordered. */
export const tooMany = (requests: ReadonlyArray<Recorded>): number =>
  requests.filter(({ fault, status }) => status === 429 && fault === null).length

/** The most requests that Plane has counted within a window. Those that met a fault and did nothing may not count. */
export const mostWithin = (requests: ReadonlyArray<Recorded>, millis: number): number => {
  const moments = requests.filter(({ applied, fault, status }) => status !== 429 && (fault === null || applied))
    .map(({ at }) => at).sort((a, b) => a - b)
  let most = 0
  let first = 0
  for (const [index, at] of moments.entries()) {
    while ((moments[first] ?? at) <= at - millis) first += 1
    most = Math.max(most, index - first + 1)
  }
  return most
}
