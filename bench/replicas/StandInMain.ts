import { Clock, Option, Schema } from "effect"
import type { IncomingMessage, ServerResponse } from "node:http"
import { createServer } from "node:http"
import { projectId } from "./Destinations.js"

/**
 * A stand-in for Plane that costs little, so that it does not bound what is measured: any API token is good, any key
 * is a work item's, and nothing is limited. It counts the comments of each token, and notes which process sends with a
 * token, by a header that the processes are started with (`Replica.ts`).
 */

const states = ["backlog", "unstarted", "started", "completed", "cancelled"].map((group, index) => ({
  id: `00000000-0000-4000-8000-00000000000${index}`,
  name: group,
  group,
  sequence: index
}))

const hex = (number: number, digits: number) => number.toString(16).padStart(digits, "0")

/** The number of a work item is in its id, so that none has to be remembered. */
const itemId = (project: number, number: number) => `${hex(project, 8)}-0000-4000-8000-${hex(number, 12)}`

const clock = Clock.make()
/** Milliseconds since 1970 with parts of them, by the same clock as the bench's. */
const now = () => Number(clock.unsafeCurrentTimeNanos()) / 1e6

const Body = Schema.parseJson(Schema.Struct({
  state: Schema.optional(Schema.String),
  external_id: Schema.optional(Schema.String)
}))
const decodeBody = Schema.decodeUnknownOption(Body)

interface Sender {
  /** Who sends now with this token, and since when. Looks whether Plane is there do not count. */
  process: string
  since: number
  comments: number
  lastAt: number
}

const senders = new Map<string, Sender>()
/** What is to be done when Plane answers again. Undefined while it answers. */
let held: Array<() => void> | undefined
let waiting: Array<() => boolean> = []

const answer = (response: ServerResponse, status: number, value: unknown) => {
  const body = JSON.stringify(value)
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) })
  response.end(body)
}

/** Nobody has changed a work item lately: otherwise its state would have to wait. */
const longAgo = "2026-01-05T08:00:00.000000Z"

const item = (project: number, number: number, state: unknown, updatedAt = longAgo) => ({
  id: itemId(project, number),
  sequence_id: number,
  name: `Task ${number}`,
  state,
  updated_at: updatedAt,
  project: projectId(project)
})

const noted = (request: IncomingMessage): Sender => {
  const token = String(request.headers["x-api-key"])
  const process = String(request.headers["x-process"])
  const sender = senders.get(token) ?? { process: "", since: 0, comments: 0, lastAt: 0 }
  senders.set(token, sender)
  if (sender.process !== process) Object.assign(sender, { process, since: now() })
  return sender
}

const plane = (request: IncomingMessage, response: ServerResponse, body: string) => {
  const path = (request.url ?? "").replace(/\?.*$/, "")
  if (path === "/api/instances/") {
    return answer(response, 200, { instance: { current_version: "1.3.1", edition: "PLANE_COMMUNITY" } })
  }
  const [, project, rest] = /\/projects\/0*([0-9a-f]+)-[0-9a-f-]+\/(.*)$/.exec(path) ?? []
  const index = Number.parseInt(project ?? "0", 16)
  if (rest === "") {
    return answer(response, 200, { id: projectId(index), identifier: `D${index}`, is_member: true, member_role: 15 })
  }
  const [, of, number] = /\/work-items\/D(\d+)-(\d+)\/$/.exec(path) ?? []
  if (number !== undefined) {
    noted(request)
    return answer(response, 200, item(Number(of), Number(number), states[0]))
  }
  const [, id, comments] = /^work-items\/[^/]*-([0-9a-f]{12})\/(comments\/)?$/.exec(rest ?? "") ?? []
  const { external_id, state } = Option.getOrElse(
    decodeBody(body),
    () => ({ external_id: undefined, state: undefined })
  )
  if (id !== undefined && request.method === "PATCH") {
    noted(request)
    return answer(response, 200, item(index, Number.parseInt(id, 16), state, new Date(now()).toISOString()))
  }
  if (id !== undefined && comments === undefined) {
    noted(request)
    return answer(response, 200, item(index, Number.parseInt(id, 16), states[0]))
  }
  if (id !== undefined && request.method === "POST") {
    const sender = noted(request)
    sender.comments += 1
    sender.lastAt = now()
    const issue = itemId(index, Number.parseInt(id, 16))
    answer(response, 201, { id: itemId(index + 0x10_00_00, sender.comments), issue, external_id, actor: "bench" })
    waiting = waiting.filter((told) => !told())
    return
  }
  const results = rest === "states/" ? states : []
  return answer(response, 200, { results, issues: [], next_page_results: false, next_cursor: "" })
}

const toldBy = (token: string | null) => {
  const all = token === null ? Array.from(senders.values()) : [senders.get(token)]
  return {
    comments: all.reduce((sum, sender) => sum + (sender?.comments ?? 0), 0),
    lastAt: Math.max(0, ...all.map((sender) => sender?.lastAt ?? 0))
  }
}

/** `POST hold`, `POST release`, `GET senders`, and `GET told?comments=…&token=…`, which waits until that many are. */
const control = (request: IncomingMessage, response: ServerResponse) => {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://stand-in")
  if (pathname === "/stand-in/hold") held ??= []
  if (pathname === "/stand-in/release") {
    const todo = held ?? []
    held = undefined
    for (const go of todo) go()
    return answer(response, 200, { at: now() })
  }
  if (pathname !== "/stand-in/told") return answer(response, 200, Object.fromEntries(senders))
  const wanted = Number(searchParams.get("comments"))
  const told = () => {
    const found = toldBy(searchParams.get("token"))
    if (found.comments >= wanted) answer(response, 200, found)
    return found.comments >= wanted
  }
  if (!told()) waiting.push(told)
}

const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
  let body = ""
  request.setEncoding("utf8").on("data", (part: string) => {
    body += part
  })
  request.on("end", () => {
    if (request.url?.startsWith("/stand-in/") === true) return control(request, response)
    if (held === undefined) return plane(request, response, body)
    held.push(() => plane(request, response, body))
  })
})

server.listen(Number(process.argv[2]), "127.0.0.1")
