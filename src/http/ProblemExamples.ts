import type { Problem } from "./Problem.js"

const noKey = "\"9\" is not a work item key: expected a project's identifier, a dash and a number, like \"ET-2\""
const noId = "\"x\" is not right: expected a whole number from 1 to 9007199254740991"
const noCode =
  "\"x\" is not a code: expected one of unfit, wrong_project, ambiguous, not_found, gone, refused, ignored, attempts"
const noEventStatus = "\"open\" is not a status: expected one of pending, delivered, dead, discarded"
const noTaskStatus = "\"open\" is not a status: expected one of active, paused, stopped, done"
const noOutcome = "\"done\" is not an outcome: expected one of passed, failed"

const inParameter = (field: string, message: string): Problem => ({
  error: `${field}: ${message}`,
  issues: [{ field, message }]
})

const inBody = (what: string, field: string, message: string, given: unknown): Problem => ({
  error: `Not ${what}: ${field}: ${message}`,
  issues: [{ field, message, given }]
})

const ofCode = inBody("a code of dead letters", "code", noCode, "x")
const noDeadLetter: Problem = { error: "99 is not the id of a dead letter" }
const neverTold: Problem = {
  error: "An event that can never be told cannot be retried, only discarded: \"x\" is no key"
}
const noDeadNotice: Problem = { error: "99 is not the id of a notice that was given up" }
const noticeOver: Problem = {
  error: "The notice 3 calls for what nobody is needed for any more: it cannot be retried, only discarded"
}
const noTask: Problem = { error: "There is no task for ET-3: nobody has started one" }

/** What is the same everywhere. */
const common: Readonly<Record<number, Problem>> = {
  401: { error: "Expected the header Authorization: Bearer, with the token of ORCH_API_TOKEN" },
  403: {
    error: "This needs the token of ORCH_OPERATOR_TOKEN. That of ORCH_API_TOKEN, which agents have, is not enough"
  },
  413: {
    error: "The body is larger than 1048576 bytes",
    issues: [{ field: "body", message: "expected at most 1048576 bytes" }]
  },
  415: { error: "Expected Content-Type: application/json, was given \"text/plain\"" },
  503: {
    error: "Storage ./data/plane-sync.sqlite: there is no space left for it (database or disk is full)"
  }
}

const own: Readonly<Record<string, Readonly<Record<number, Problem>>>> = {
  "events.publish": {
    400: inBody("an event", "workItem", noKey, "9"),
    409: { error: "An event with the id \"run-7:3\" was published before with other content: the first stands" }
  },
  "events.list": { 400: inParameter("status", noEventStatus) },
  "workItems.get": {
    400: inParameter("key", noKey),
    404: { error: "No event was ever published for ET-9" }
  },
  "deliveries.list": { 400: inParameter("code", noCode) },
  "deliveries.get": { 400: inParameter("id", noId), 404: noDeadLetter },
  "deliveries.retry": { 400: inParameter("id", noId), 404: noDeadLetter, 409: neverTold },
  "deliveries.retryAll": { 400: ofCode, 409: neverTold },
  "deliveries.discard": { 400: inParameter("id", noId), 404: noDeadLetter },
  "deliveries.discardAll": { 400: ofCode },
  "notices.list": { 400: inParameter("cursor", noId) },
  "notices.retry": { 400: inParameter("id", noId), 404: noDeadNotice, 409: noticeOver },
  "notices.retryAll": { 409: noticeOver },
  "notices.discard": { 400: inParameter("id", noId), 404: noDeadNotice },
  "tasks.list": { 400: inParameter("status", noTaskStatus) },
  "tasks.get": { 400: inParameter("key", noKey), 404: noTask },
  "tasks.start": { 400: inBody("a task to start", "workItem", noKey, "9") },
  "tasks.report": {
    400: inBody("a report", "outcome", noOutcome, "done"),
    404: noTask,
    409: { error: "The task of ET-2 is at development, not at architecture: overrule the stage that it is at" }
  },
  "tasks.ask": {
    400: inBody("a question", "question", "it is empty: expected words for people", ""),
    404: noTask,
    409: { error: "The task of ET-2 is done at done: nobody works on it who could ask" }
  },
  "tasks.answer": {
    400: inBody("an answer", "text", "it is empty: expected words for people", ""),
    404: noTask,
    409: { error: "No question of ET-2 is open: there is nothing to answer" }
  },
  "tasks.pause": {
    400: inParameter("key", noKey),
    404: noTask,
    409: { error: "The task of ET-2 is done at done: there is nothing to pause" }
  },
  "tasks.advance": {
    400: inParameter("key", noKey),
    404: noTask,
    409: { error: "The task of ET-2 is paused at development: it does not advance" }
  }
}

/** Examples of the problems that an operation answers, by status. */
export const problemsOf = (operation: string): Readonly<Record<number, Problem>> => ({ ...common, ...own[operation] })
