import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Option } from "effect"
import { Pipeline } from "../../src/orchestrator/Pipeline.js"
import { TaskStore } from "../../src/orchestrator/TaskStore.js"
import { Storage } from "../../src/outbox/Storage.js"
import { PlaneClient } from "../../src/plane/PlaneClient.js"
import { RateBudget } from "../../src/plane/RateBudget.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"
import { Signal } from "../../src/sync/Signal.js"
import { prunePullRequests } from "../../src/webhooks/gitea/Facts.js"
import { giteaGates } from "../../src/webhooks/gitea/Gates.js"
import { Gitea } from "../../src/webhooks/gitea/GiteaClient.js"
import { giteaHandler } from "../../src/webhooks/gitea/GiteaWebhook.js"
import { TaskPullRequests } from "../../src/webhooks/gitea/TaskPullRequests.js"
import { Inbox } from "../../src/webhooks/Inbox.js"
import { planeHandler } from "../../src/webhooks/plane/PlaneWebhook.js"
import { makePlans } from "../support/QueryPlans.js"
import { fixture } from "./Fixtures.js"

const { explaining, plans, scans } = makePlans()

const layer = Layer.mergeAll(Inbox.layer, TaskPullRequests.layer).pipe(
  Layer.provideMerge(TaskStore.layer),
  Layer.provideMerge(
    Layer.mergeAll(Storage.layerFile(":memory:"), Signal.layer, Pipeline.layerDefault, PlaneClient.layer)
  ),
  Layer.provide(RateBudget.layer),
  Layer.provideMerge(Layer.succeed(Gitea, Option.none())),
  Layer.provide(PlaneSimulator.layerMemory()),
  Layer.provide(Layer.setConfigProvider(ConfigProvider.fromMap(new Map())))
)

const sent = [
  ["plane", "issue", "plane/issue_updated_state"],
  ["gitea", "pull_request", "gitea/pull_request_opened"],
  ["gitea", "pull_request_sync", "gitea/pull_request_synchronized"],
  ["gitea", "status", "gitea/status_success"],
  ["gitea", "pull_request_review_approved", "gitea/review_approved"],
  ["gitea", "pull_request", "gitea/pull_request_closed_merged"]
] as const

/** Whatever the inbox, the handlers and the gates ask, once. */
const everything = Effect.gen(function*() {
  const inbox = yield* Inbox
  const handlers = { plane: yield* planeHandler, gitea: yield* giteaHandler }
  for (const [source, event, name] of sent) {
    yield* inbox.store({ source, event, delivery: name, body: fixture(name), digest: name })
    yield* handlers[source](yield* inbox.due(10))
  }
  yield* inbox.nextDue
  const task = yield* (yield* TaskStore).get("ET-7")
  for (const { check } of yield* giteaGates) yield* check(task)
  yield* inbox.settle(new Map([[1, { _tag: "Later", dueAt: 1, reason: "later" }]]))
  assert.isFalse(yield* inbox.prune(1))
  const { sql, write } = yield* Storage
  assert.isFalse(yield* write(prunePullRequests(sql, 1)))
  return task
})

const inOrder = /^SCAN plane_sync_webhook USING (COVERING )?INDEX plane_sync_webhook_(due|status)/

describe("the webhooks' statements", () => {
  it.scoped("read by an index what they need, and no table from end to end", () =>
    Effect.gen(function*() {
      const task = yield* everything
      assert.strictEqual(task.pullRequest, 88)
      assert.isAbove(plans.size, 20)
      assert.deepStrictEqual(scans(inOrder), [])
    }).pipe(Effect.provide(layer), explaining))
})
