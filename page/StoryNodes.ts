import type { Delivery, StoryLine, WorkItem } from "./Wire.js"
import { counted, duration, latency, textOf } from "./Words.js"

/** A sending of a request, as a row. */
export interface Attempt {
  readonly attempt: number
  readonly at: string
  readonly request: string
  readonly answer: string
  readonly look: "" | "bad" | "wait"
  readonly took: string
}

/** One entry of the story. `look` is how its point is drawn. */
export interface Node {
  readonly key: string
  readonly at: string
  readonly look: "" | "is-told" | "is-stage" | "is-bad" | "is-wait"
  readonly title: string
  readonly what: string
  /** The text of a comment. */
  readonly quote: string
  readonly attempts: ReadonlyArray<Attempt>
}

const requests: Readonly<Record<Delivery["kind"], string>> = {
  comment: "POST comment",
  recount: "PATCH comment",
  state: "PATCH state"
}

const isRefusal = (answer: number | null) => answer !== null && answer >= 400 && answer !== 409 && answer !== 429

const answerWords = (answer: number | null, reason: string | null): string => {
  if (answer === null) return reason === null || reason === "" ? "no answer" : reason
  return reason === null || reason === "" ? String(answer) : `${answer} ${reason}`
}

/** What an answer that ended the request says. A 409 is as good: our comment was there already. */
const acceptedWords = (answer: number | null): string =>
  answer === null ? "accepted" : answer === 409 ? "409, it was there already" : String(answer)

/** How long Plane took for a sending, in milliseconds, where that was measured. */
const tookOf = (sent: object): number | undefined =>
  "took" in sent && typeof sent.took === "number" ? sent.took : undefined

const tookWords = (sent: object): string => {
  const millis = tookOf(sent)
  return millis === undefined ? "–" : latency(millis)
}

const attemptsOf = (delivery: Delivery): ReadonlyArray<Attempt> => {
  const { answer, attempts, kind, reason, sentAt, status, tries } = delivery
  const request = requests[kind]
  const before = tries.map((one): Attempt => ({
    attempt: one.attempt,
    at: one.at,
    request,
    answer: answerWords(one.answer, one.reason),
    look: isRefusal(one.answer) ? "bad" : "wait",
    took: tookWords(one)
  }))
  // A request that failed and waits to be sent again is among its tries.
  if (sentAt === null || (status === "pending" && reason !== null)) return before
  const isTold = status === "delivered"
  return [...before, {
    attempt: attempts,
    at: sentAt,
    request,
    answer: status === "pending" ? "not answered yet" : isTold ? acceptedWords(answer) : answerWords(answer, reason),
    look: status === "pending" ? "wait" : isTold ? "" : "bad",
    took: tookWords(delivery)
  }]
}

/** What a line says of the request, without what became of it: "the state In Progress". */
const aimOf = (line: string): string => line.replace(/(, attempt \d+: | was not sent| is not sent any more).*$/s, "")

const titleOf = (delivery: Delivery, line: string): string => {
  const { isLiving, kind, sentAt, status } = delivery
  const aim = kind === "state"
    ? aimOf(line).replace(/^the /, "")
    : isLiving
    ? "living comment"
    : kind === "recount"
    ? "count"
    : "comment"
  const subject = aim.charAt(0).toUpperCase() + aim.slice(1)
  switch (status) {
    case "delivered":
      return sentAt === null
        ? `${subject}: was there already`
        : isLiving && kind === "recount"
        ? `${subject} edited`
        : `${subject} told`
    case "pending":
      return `${subject} is owed`
    case "dead":
      return `${subject}: dead letter ${delivery.id}`
    case "retried":
      return `${subject}: dead letter ${delivery.id}, retried`
    case "discarded":
      return `${subject} is not sent any more`
  }
}

/** How long after the last of its events a comment was told, and how many it tells. */
const afterPublish = ({ settledAt, status, tells }: Delivery, { events }: WorkItem): string => {
  const last = events.find(({ sequence }) => sequence === tells.at(-1))
  const joined = tells.length > 1 ? `${counted(tells.length, "event", "events")} joined` : ""
  const took = status !== "delivered" || settledAt === null || last === undefined
    ? ""
    : `${duration((Date.parse(settledAt) - Date.parse(last.publishedAt)) / 1000)} after it was published`
  return [joined, took].filter((part) => part !== "").join(", ")
}

const requestNode = (delivery: Delivery, { at, line }: StoryLine, item: WorkItem): Node => ({
  key: `delivery ${delivery.id}`,
  at,
  look: delivery.status === "delivered" ? "is-told" : delivery.status === "dead" ? "is-bad" : "is-wait",
  title: titleOf(delivery, line),
  what: afterPublish(delivery, item) || (delivery.status === "dead" ? delivery.reason ?? "" : ""),
  quote: delivery.kind === "state" ? "" : textOf(delivery.body),
  attempts: attemptsOf(delivery)
})

const lineLook = ({ kind, line }: StoryLine): Node["look"] => {
  if (kind === "event") return /failed at/.test(line) ? "is-bad" : / asks: /.test(line) ? "is-wait" : "is-stage"
  if (kind === "verdict" || kind === "report") return /\bfailed\b/.test(line) ? "is-bad" : ""
  if (kind === "look") return "is-wait"
  return kind === "outcome" ? "is-bad" : ""
}

const kindWords: Readonly<Record<StoryLine["kind"], string>> = {
  hook: "heard",
  task: "task",
  report: "agent",
  verdict: "gate",
  event: "published",
  look: "asked Plane",
  request: "",
  outcome: ""
}

const lineNode = (told: StoryLine, index: number): Node => {
  const line = told.line.replace(/^event \d+: /, "")
  return {
    key: `line ${index} ${told.at}`,
    at: told.at,
    look: lineLook(told),
    title: line.charAt(0).toUpperCase() + line.slice(1),
    what: told.event === null ? kindWords[told.kind] : `${kindWords[told.kind]}, event ${told.event}`,
    quote: "",
    attempts: []
  }
}

/** The story, the newest first. All lines of one request are one entry, which stands where its last line does. */
export const nodesOf = (item: WorkItem): ReadonlyArray<Node> => {
  const seen = new Set<number>()
  return item.story.map((line, index) => ({ line, index })).toReversed().flatMap(({ index, line }) => {
    const delivery = line.delivery === null ? undefined : item.deliveries.find(({ id }) => id === line.delivery)
    if (delivery === undefined) return [lineNode(line, index)]
    if (seen.has(delivery.id)) return []
    seen.add(delivery.id)
    return [requestNode(delivery, line, item)]
  })
}
