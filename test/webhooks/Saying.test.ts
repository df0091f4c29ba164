import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger } from "effect"
import { Storage } from "../../src/storage/Storage.js"
import { giteaHandler } from "../../src/webhooks/GiteaHandler.js"
import { Inbox } from "../../src/webhooks/Inbox.js"
import { planeHandler } from "../../src/webhooks/PlaneHandler.js"
import { handlersOnly } from "./Handlers.js"
import { moveBody, pullBody, sha } from "./Scene.js"

/** Has a hook worked on. */
const telling = Effect.gen(function*() {
  const inbox = yield* Inbox
  const handlers = { plane: yield* planeHandler, gitea: yield* giteaHandler }
  return (source: "plane" | "gitea", event: string, body: string) =>
    Effect.gen(function*() {
      yield* inbox.store({ source, event, uuid: "", body, digest: body })
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
  it.scoped("says of a work item that is taken back that its task is done", () => {
    const lines: Array<string> = []
    return Effect.gen(function*() {
      const tell = yield* telling
      yield* tell("plane", "issue", moveBody({ number: 7, to: "inProgress", at: 1 }))
      assert.include(lines.at(-1), "ET-7 was moved to a started state: its task goes on")
      const { sql, write } = yield* Storage
      yield* write(sql`UPDATE plane_sync_task SET status = 'done'`)
      yield* tell("plane", "issue", moveBody({ number: 7, to: "done", at: 2 }))
      yield* tell("plane", "issue", moveBody({ number: 7, to: "inProgress", at: 3 }))
      assert.include(lines.at(-1), "ET-7 was moved to a started state: its task is done, and stays so")
    }).pipe(Effect.provide(loggingTo(lines)))
  })

  it.scoped("names some of the keys of a pull request that names very many", () => {
    const lines: Array<string> = []
    return Effect.gen(function*() {
      const tell = yield* telling
      const naming = (count: number) => {
        const body = Array.from({ length: count }, (_, n) => `[ET-${n + 1}]`).join(" ")
        const change = { title: "All of it", body, head: { label: "all", ref: "all" } }
        return pullBody("pull_request_opened", { number: 88, workItem: 7, head: sha("one"), change })
      }
      yield* tell("gitea", "pull_request", naming(2))
      assert.include(lines.at(-1), "names ET-1 and ET-2: it moves none of them")
      yield* tell("gitea", "pull_request", naming(10_000))
      assert.include(lines.at(-1), "names ET-1, ET-2, ET-3, ET-4, ET-5 and 9995 more: it moves none of them")
    }).pipe(Effect.provide(loggingTo(lines)))
  })
})
