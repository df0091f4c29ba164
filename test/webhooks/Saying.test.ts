import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, TestClock } from "effect"
import { Storage } from "../../src/storage/Storage.js"
import { giteaHandler } from "../../src/webhooks/GiteaHandler.js"
import { Inbox } from "../../src/webhooks/Inbox.js"
import { planeHandler } from "../../src/webhooks/PlaneHandler.js"
import { handlersOnly } from "./Handlers.js"
import { moveBody } from "./Scene.js"

/** Has a hook worked on. */
const telling = Effect.gen(function*() {
  const inbox = yield* Inbox
  const handlers = { plane: yield* planeHandler, gitea: yield* giteaHandler }
  return (source: "plane" | "gitea", event: string, body: string) =>
    Effect.gen(function*() {
      yield* inbox.store({ source, signer: "", isSigned: true, event, uuid: "", body, digest: body })
      yield* handlers[source](yield* inbox.due(10))
    })
})

// What is said within a transaction is said by a fiber of the layer's.
const loggingTo = (lines: Array<string>) =>
  Layer.provideMerge(
    handlersOnly,
    Logger.replace(Logger.defaultLogger, Logger.map(Logger.stringLogger, (line) => void lines.push(line)))
  )

describe("the log", () => {
  it.scoped("says who has moved a work item, where to, and what that means for its task", () => {
    const lines: Array<string> = []
    return Effect.gen(function*() {
      const tell = yield* telling
      yield* tell("plane", "issue", moveBody({ number: 7, to: "inProgress", at: 1 }))
      assert.include(lines.at(-1), "ET-7: lea moved the work item to In Progress in Plane, so its task starts")
      yield* TestClock.adjust("1 second")
      const { sql, write } = yield* Storage
      yield* write(sql`UPDATE plane_sync_task SET status = 'done'`)
      yield* tell("plane", "issue", moveBody({ number: 7, to: "done", at: 2 }))
      yield* tell("plane", "issue", moveBody({ number: 7, to: "inProgress", at: 3 }))
      assert.include(lines.at(-1), "ET-7: lea moved the work item to In Progress in Plane, so its task starts anew")
    }).pipe(Effect.provide(loggingTo(lines)))
  })
})
