import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { EpochMillis } from "../../src/base/Time.js"
import { CanonicalKey } from "../../src/domain/WorkItemKey.js"
import { readStatuses, receivedBy, rememberAskedStatuses } from "../../src/gitea/CheckRows.js"
import { giteaGates } from "../../src/gitea/GiteaGates.js"
import { pruneCommitStatuses, prunePullRequests } from "../../src/gitea/Prune.js"
import {
  forgetOpen,
  readKnown,
  readOpenIn,
  readPullRequest,
  readPullRequestsOf,
  rememberAnswer
} from "../../src/gitea/PullRequestRows.js"
import {
  holdRepository,
  makeRepositoriesDue,
  readDueRepositories,
  readKnownNames,
  settleRepository,
  stirRepositories
} from "../../src/gitea/RepositoryRows.js"
import { readReviews } from "../../src/gitea/ReviewRows.js"
import { Storage } from "../../src/storage/Storage.js"
import { TaskStore } from "../../src/tasks/TaskStore.js"
import { giteaHandler } from "../../src/webhooks/GiteaHandler.js"
import { readHookNews } from "../../src/webhooks/HookNews.js"
import { readHooksAbout } from "../../src/webhooks/HooksAbout.js"
import { Inbox } from "../../src/webhooks/Inbox.js"
import { planeHandler } from "../../src/webhooks/PlaneHandler.js"
import { makePlans } from "../support/QueryPlans.js"
import { unexplained } from "../support/Statements.js"
import { fixture } from "./Fixtures.js"
import { handlersOnly } from "./Handlers.js"

const { explaining, plans, scans } = makePlans()

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
    yield* inbox.store({ source, signer: "", isSigned: true, event, uuid: name, body: fixture(name), digest: name })
    yield* handlers[source](yield* inbox.due(10))
  }
  const subject = { _tag: "PullRequest", repository: 41, number: 88 } as const
  assert.isAbove((yield* readHooksAbout(yield* Storage, [subject], 10)).length, 1)
  yield* inbox.nextDue(60_000)
  yield* inbox.ifDue(1)
  const task = yield* (yield* TaskStore).get("ET-7")
  for (const { check } of yield* giteaGates) yield* check(task)
  yield* inbox.settle(new Map([[1, { _tag: "Later", dueAt: EpochMillis(100_000), reason: "later" }]]))
  assert.strictEqual(yield* inbox.nextDue(60_000), 0)
  assert.isFalse(yield* inbox.prune(EpochMillis(1)))
  const { read, sql, write } = yield* Storage
  // The gates stop asking when the pull request has ended.
  const [held] = yield* read(readPullRequestsOf(sql, CanonicalKey("ET-7")))
  if (held === undefined) return yield* Effect.dieMessage("the pull request is there")
  yield* read(readPullRequest(sql, held))
  yield* read(readStatuses(sql, held))
  yield* read(readReviews(sql, held))
  yield* read(readHookNews(sql, 0))
  yield* read(readOpenIn(sql, held.repository))
  yield* read(readKnown(sql, held.repository, []))
  yield* write(forgetOpen(sql, held.repository, [], EpochMillis(2)))
  yield* read(readDueRepositories(sql, 2, EpochMillis(2)))
  yield* read(readKnownNames(sql, 0, ["acme/widgets"]))
  yield* write(stirRepositories(sql, [{ id: held.repository, name: held.name }], EpochMillis(2)))
  yield* write(
    settleRepository(sql, { id: 1, name: "", stirs: 0, dueAt: EpochMillis(0) }, EpochMillis(2), EpochMillis(2))
  )
  yield* write(makeRepositoriesDue(sql, EpochMillis(2)))
  yield* write(holdRepository(sql, held.repository))
  yield* write(rememberAnswer(sql, held, held, EpochMillis(2)))
  yield* write(rememberAskedStatuses(sql, held, [], EpochMillis(2)))
  yield* write(receivedBy(sql, held, EpochMillis(2)))
  assert.isFalse(yield* write(prunePullRequests(sql, EpochMillis(1))))
  assert.isFalse(yield* write(pruneCommitStatuses(sql, EpochMillis(1))))
  return task
})

// The others are the rows of a query that is cut by a LIMIT.
const inOrder =
  /^SCAN (plane_sync_webhook USING (COVERING )?INDEX plane_sync_webhook_(due|status)|(ahead|due|oldest|usual)$)/

describe("the webhooks' statements", () => {
  it.scoped("read by an index, and never a whole table", () =>
    Effect.gen(function*() {
      const task = yield* everything
      assert.deepStrictEqual(task.pullRequest, Option.some(88))
      assert.isAbove(plans.size, 20)
      assert.deepStrictEqual(yield* unexplained("gitea", plans), [])
      assert.deepStrictEqual(yield* unexplained("webhooks", plans), [])
      assert.deepStrictEqual(scans(inOrder), [])
      // Which hooks came before is asked for each: by the status alone, it would read all that are kept.
      const known = Array.from(plans).find(([text]) => text.includes("digest = value ->> 2"))
      assert.match(known?.[1].join("\n") ?? "", /plane_sync_webhook_digest \(source=\? AND digest=\? AND signer=\?\)/)
    }).pipe(Effect.provide(handlersOnly), explaining))
})
