import { assert, describe, it } from "@effect/vitest"
import { Either } from "effect"
import { readFields } from "../../src/base/JsonFields.js"
import { ItemId, UserId } from "../../src/domain/Ids.js"
import { PlaneMoment } from "../../src/domain/PlaneMoment.js"
import { StateId } from "../../src/domain/StageStates.js"
import { commonForge } from "../../src/gitea/Forges.js"
import { decodeGiteaHook as decodeHook } from "../../src/webhooks/GiteaHook.js"
import { fieldsOf } from "../../src/webhooks/HookFields.js"
import { decodePlaneHook } from "../../src/webhooks/PlaneHook.js"
import type { Source } from "../../src/webhooks/WebhookConfig.js"
import { changed, fixture, fixturesOf } from "./Fixtures.js"

const decodeGiteaHook = (type: string, body: string) => decodeHook(type, body, commonForge)

describe("Plane's bodies", () => {
  it("say what state a work item is in, whatever was changed and in whichever version", () => {
    const seen = {
      _tag: "WorkItemSeen",
      itemId: ItemId("a1e3b463-914e-564c-9341-2bf8665a56d8"),
      project: "7a79f0a9-5278-49cd-9007-9a338f238f9c",
      number: 7,
      title: "Mark the river crossing",
      stateId: StateId("b873d9eb-993c-48cd-97ac-99a9b1623967"),
      stateGroup: "started",
      stateName: "In Progress",
      who: "lea",
      updatedAt: PlaneMoment("2026-10-05T07:16:29.568007Z"),
      isAside: false,
      isNew: false,
      by: UserId("026c4518-d1f8-5b24-a2a1-c354e2f0c385"),
      isByApi: true,
      movedTo: StateId("b873d9eb-993c-48cd-97ac-99a9b1623967"),
      marks: []
    } as const
    assert.deepStrictEqual(decodePlaneHook(fixture("plane/issue_updated_state")), Either.right(seen))
    const byPage = changed("plane/issue_updated_state", { activity: { field: "state_id" } })
    assert.deepStrictEqual(decodePlaneHook(byPage), Either.right({ ...seen, isByApi: false }))
    assert.deepStrictEqual(
      decodePlaneHook(fixture("plane/workitem_updated_v2")),
      Either.right({
        ...seen,
        stateGroup: undefined,
        stateName: undefined,
        who: undefined,
        by: undefined,
        isByApi: false,
        movedTo: undefined
      })
    )
    for (const name of ["plane/issue_updated_priority", "plane/issue_updated_name", "plane/issue_created"]) {
      assert.containSubset(decodePlaneHook(fixture(name)), { _tag: "Right", right: { _tag: "WorkItemSeen" } }, name)
    }
  })

  it("about labels and assignees say which ones were given, by API or in the pages, of those that are there", () => {
    const marks = (name: string, change = {}) =>
      Either.match(decodePlaneHook(changed(`plane/${name}`, change)), {
        onLeft: () => [],
        onRight: (seen) => "marks" in seen ? seen.marks : []
      })
    const review = { id: "0a6b2402-c231-4d7a-a04b-82e322928f6c", name: "stage: code review" }
    const testing = { id: "b4b5c63b-c29f-4947-a988-72a0f87e6392", name: "stage: testing" }
    const admin = { id: "ac228cf1-6a82-4b00-a610-696b6b076b09", name: "admin-user@example.test" }
    const member = { id: "8ac4e768-9b7a-4bf6-ab09-2daf070cb501", name: "member-user@example.test" }
    assert.deepStrictEqual(marks("issue_updated_labels"), [
      { kind: "label", has: [review, testing], got: [review], isTaken: false, isByPage: false }
    ])
    assert.deepStrictEqual(marks("issue_updated_label_ids"), [
      { kind: "label", has: [review], got: [], isTaken: true, isByPage: true }
    ])
    assert.deepStrictEqual(marks("issue_updated_labels_foreign"), [
      { kind: "label", has: [], got: [], isTaken: true, isByPage: false }
    ])
    assert.deepStrictEqual(marks("issue_updated_assignees"), [
      { kind: "assignee", has: [member], got: [member], isTaken: false, isByPage: false }
    ])
    assert.deepStrictEqual(marks("issue_updated_assignee_ids"), [
      { kind: "assignee", has: [admin, member], got: [member], isTaken: false, isByPage: true }
    ])
    const made = { data: { labels: [review], assignees: [{ id: member.id.toUpperCase() }] } }
    const nameless = { id: member.id, name: undefined }
    assert.deepStrictEqual(marks("issue_created", made), [
      { kind: "label", has: [review], got: [review], isTaken: false, isByPage: false },
      { kind: "assignee", has: [nameless], got: [nameless], isTaken: false, isByPage: false }
    ])
    // Another change, and bodies of another form.
    assert.deepStrictEqual(marks("issue_updated_name", { data: { labels: [review] } }), [])
    for (const activity of [null, { old_value: null }, { new_value: "x" }, { old_value: ["x"] }]) {
      assert.deepStrictEqual(marks("issue_updated_labels", { activity }), [])
    }
    assert.deepStrictEqual(marks("issue_updated_labels", { data: { labels: [review.id] } }), [])
    assert.deepStrictEqual(marks("issue_updated_labels", { data: { labels: null } }), [])
  })

  it("of comments, of other things and without a state say nothing", () => {
    const nothing = (body: string) =>
      Either.match(decodePlaneHook(body), {
        onLeft: () => "left",
        onRight: (seen) => "reason" in seen ? seen.reason : ""
      })
    assert.strictEqual(nothing(fixture("plane/issue_comment_updated_comment_html")), "a comment moves nothing")
    for (
      const data of [{ updated_by: "026c4518-d1f8-5b24-a2a1-c354e2f0c385" }, { edited_at: "2026-10-05T08:00:00Z" }, {
        issue: null
      }, { id: "x" }]
    ) {
      assert.strictEqual(nothing(changed("plane/issue_comment_created", { data })), "a comment moves nothing")
    }
    const ours = changed("plane/issue_comment_created", { data: { external_source: "plane-sync" } })
    assert.strictEqual(nothing(ours), "a comment of plane-sync's own")
    assert.include(nothing("{\"event\":\"cycle\",\"data\":null}"), "cycle")
    assert.strictEqual(nothing(changed("plane/issue_created", { data: { state: null } })), "it names no state")
    assert.include(nothing(changed("plane/workitem_updated_v2", { event: "workitem.deleted" })), "workitem.deleted")
    assert.include(nothing(changed("plane/issue_updated_state", { action: "deleted" })), "moves nothing")
  })

  it("tell of another change than the state's, in either version, but not of a new work item", () => {
    const isAside = (body: string) =>
      Either.match(decodePlaneHook(body), {
        onLeft: () => "left",
        onRight: (seen) => "isAside" in seen && seen.isAside
      })
    assert.isTrue(isAside(fixture("plane/issue_updated_name")))
    assert.isFalse(isAside(fixture("plane/issue_created")))
    const v2 = JSON.parse(fixture("plane/workitem_updated_v2")) as object
    const before = (attributes: unknown, event = "workitem.updated") =>
      isAside(JSON.stringify({ ...v2, event, previous_attributes: attributes }))
    assert.isTrue(before({ name: "North" }))
    assert.isFalse(before({ name: "North", state_id: "x" }))
    assert.isFalse(before({ state: { id: "x" } }))
    assert.isFalse(before(undefined))
    assert.isFalse(before({}, "workitem.created"))
  })

  it("row 29: of old senders are new only where no field is named; row 30: in any spelling say the same", () => {
    const seen = (body: string, header?: string) =>
      Either.match(decodePlaneHook(body, header), {
        onLeft: (why) => why,
        onRight: (seen) => {
          if (seen._tag === "CommentSeen") return "a comment"
          return seen._tag === "Nothing" ? seen.kind : seen.isAside ? "aside" : "a work item"
        }
      })
    const kind = (event: unknown, more: object = {}, header?: string) =>
      seen(JSON.stringify({ ...JSON.parse(fixture("plane/issue_updated_state")), event, ...more }), header)
    for (const field of ["modules", "cycles", "link", "parent"]) {
      assert.strictEqual(seen(changed("plane/issue_created", { activity: { field } })), "aside", field)
    }
    assert.strictEqual(seen(changed("plane/issue_created", { activity: null })), "a work item")
    assert.strictEqual(seen(changed("plane/issue_created", { activity: { field: "" } })), "a work item")
    assert.strictEqual(kind("issue", { action: "create" }), "a work item")
    assert.strictEqual(kind("WebhookScope.ScopeChoices.WORK_ITEM_UPDATED", { entity_type: "issue" }), "a work item")
    assert.strictEqual(kind("ScopeChoices.SOMETHING", { entity_type: "issue" }), "a work item")
    assert.strictEqual(kind("WORKITEM.UPDATED", { action: undefined }), "a work item")
    assert.strictEqual(kind(undefined, {}, "issue"), "a work item")
    // What moves nothing has a kind, by which it is counted.
    assert.strictEqual(kind("issue_comment", { action: "create" }), "issue_comment created")
    const comment = "WebhookScope.ScopeChoices.WORK_ITEM_COMMENT_CREATED"
    assert.strictEqual(kind(comment, { entity_type: "issue_comment" }), "work_item_comment created")
    assert.strictEqual(kind("issue", { action: "delete" }), "issue deleted")
    assert.strictEqual(kind("workitem.archived", { action: undefined }), "workitem.archived")
    assert.strictEqual(kind("module", {}, "issue"), "module updated")
    assert.strictEqual(kind("project", { action: "x".repeat(999) }), `project ${"x".repeat(40)}`)
    assert.strictEqual(kind("a\u0007<b>".repeat(99)).length, "updated".length + 41)
  })

  it("that cannot be read say why", () => {
    for (
      const [body, field] of [
        ["{}", "event"],
        ["[]", ""],
        [changed("plane/issue_created", { data: { sequence_id: "7" } }), "sequence_id"],
        [changed("plane/issue_created", { data: { updated_at: "yesterday" } }), "updated_at"],
        [changed("plane/issue_created", { data: null }), ""]
      ] as const
    ) {
      const decoded = decodePlaneHook(body)
      assert.isTrue(Either.isLeft(decoded), body)
      if (Either.isLeft(decoded)) assert.include(decoded.left, field)
    }
  })
})

describe("what is kept of a large body", () => {
  it("row 32: is all that is read of it, of either sender and any version", () => {
    const kept = (source: Source, event: string, body: string) => {
      const work = readFields(Buffer.from(body), fieldsOf(source, event), {
        levels: 64,
        longestWhole: 10_000,
        longestBeginning: 10_000
      })
      for (;;) {
        const step = work.next()
        if (step.done === true) return JSON.stringify(Either.getOrThrow(step.value))
      }
    }
    for (const name of fixturesOf("plane")) {
      const body = fixture(name)
      const small = kept("plane", "issue", body)
      assert.isBelow(small.length, body.length * 0.55)
      assert.deepStrictEqual(decodePlaneHook(small), decodePlaneHook(body), name)
    }
    for (const name of fixturesOf("gitea")) {
      const body = fixture(name)
      const type = typeOf(name)
      const small = kept("gitea", type, body)
      assert.isBelow(small.length, body.length / 3)
      assert.deepStrictEqual(decodeGiteaHook(type, small), decodeGiteaHook(type, body), name)
    }
  })
})

const typeOf = (name: string) => {
  const types: Readonly<Record<string, string>> = {
    "gitea/pull_request_synchronized": "pull_request_sync",
    "gitea/pull_request_review_requested": "pull_request_review_request",
    "gitea/review_approved": "pull_request_review_approved",
    "gitea/review_rejected": "pull_request_review_rejected",
    "gitea/review_comment": "pull_request_review_comment",
    "gitea/pr_issue_comment": "pull_request_comment",
    "gitea/workflow_job_completed": "workflow_job"
  }
  return types[name] ?? (/gitea\/(status|pull_request|workflow_run)/.exec(name)?.[1] ?? name.replace("gitea/", ""))
}

describe("Gitea's bodies", () => {
  it("are told apart by their type, and all can be read", () => {
    const tags: Record<string, string> = {}
    for (const name of fixturesOf("gitea")) {
      const decoded = decodeGiteaHook(typeOf(name), fixture(name))
      tags[name.replace("gitea/", "")] = Either.match(decoded, { onLeft: (why) => why, onRight: ({ _tag }) => _tag })
    }
    const stirs = [
      "action_run_failure",
      "create_branch",
      "delete_branch",
      "pr_issue_comment",
      "push",
      "workflow_job_completed",
      "workflow_run_completed_pull_request"
    ]
    for (const [name, tag] of Object.entries(tags)) {
      const expected = stirs.includes(name) ? "Stir" : name.startsWith("status") ? "Status" : "PullRequest"
      assert.strictEqual(tag, expected, name)
    }
  })

  it("row 25: name their repository, whatever else they say, and wherever it stands", () => {
    const repository = { id: 41, name: "rideworks/trail-maps" }
    const stir = (kind: string) => Either.right({ _tag: "Stir", kind, repository } as const)
    assert.deepStrictEqual(decodeGiteaHook("push", fixture("gitea/push")), stir("push"))
    const run = fixture("gitea/action_run_failure")
    for (const kind of ["action_run_success", "action_run_failure", "action_run_recover"]) {
      assert.deepStrictEqual(decodeGiteaHook(kind, run), stir(kind))
    }
    const workflow = changed("gitea/workflow_run_completed_pull_request", { run: null })
    assert.deepStrictEqual(decodeGiteaHook("workflow_run", workflow), stir("workflow_run"))
    assert.deepStrictEqual(decodeGiteaHook("of version 28", fixture("gitea/push")), stir("of version 28"))
    for (const body of ["{}", "[]", "{\"repository\":null}", "{\"repository\":{\"id\":\"41\"}}", "{\"run\":{}}"]) {
      const nothing = { _tag: "Nothing", kind: "package", reason: "the event \"package\" moves nothing" } as const
      assert.deepStrictEqual(decodeGiteaHook("package", body), Either.right(nothing))
    }
  })

  it("of old and new versions are read: what one of them leaves out, or has as null", () => {
    const opened = JSON.parse(fixture("gitea/pull_request_opened")) as {
      readonly repository: object
      readonly pull_request: { readonly head: object }
    }
    const without = (value: object, ...names: ReadonlyArray<string>) =>
      Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)))
    const repository = without(opened.repository, "default_branch")
    const pull = without(opened.pull_request, "draft", "merged_at", "mergeable")
    const head = without(opened.pull_request.head, "label")
    const read = (pull_request: object, action = "opened") => {
      const body = JSON.stringify({ ...opened, action, repository, pull_request })
      const decoded = Either.getOrThrowWith(decodeGiteaHook("pull_request", body), (why) => new Error(why))
      return decoded._tag === "PullRequest" ? decoded.pullRequest : undefined
    }
    const branch = "feature/et-007-north-climb"
    assert.containSubset(read({ ...pull, labels: null, assignees: null, requested_reviewers: null }), {
      branch,
      draft: false,
      fork: false,
      defaultBranch: null,
      mergedAt: null
    })
    assert.containSubset(read({ ...pull, head }), { branch, fork: false })
    assert.containSubset(read({ ...pull, head: { ...head, label: null } }), { branch, fork: false })
    // Its branch is gone, or anybody who may read the repository has pushed it.
    assert.containSubset(read({ ...pull, head: { ...head, ref: "refs/pull/88/head" } }), { branch: "", fork: true })
    assert.containSubset(read({ ...pull, title: "WIP: ET-7" }), { draft: true })
    const merged = { ...pull, merged: true, state: "closed", updated_at: "2026-10-06T00:00:00+02:00" }
    assert.containSubset(read(merged, "closed"), { mergedAt: Date.UTC(2026, 9, 5, 22) })
    // It was changed since, so when it was merged is not known.
    assert.containSubset(read(merged, "edited"), { merged: true, mergedAt: null })
    const unnamed = decodeGiteaHook("pull_request_review_approved", changed("gitea/review_approved", { sender: null }))
    assert.deepStrictEqual(unnamed, Either.left("sender.login: is missing"))
  })

  it("show a pull request: its branch by the label, a fork by its repository, merged apart from closed", () => {
    const seen = (name: string, change = {}) => {
      const decoded = Either.getOrThrow(decodeGiteaHook(typeOf(name), changed(name, change)))
      return decoded._tag === "PullRequest" ? decoded.pullRequest : undefined
    }
    assert.containSubset(seen("gitea/pull_request_opened"), {
      repository: 41,
      name: "rideworks/trail-maps",
      number: 88,
      fork: false,
      open: true,
      merged: false,
      branch: "feature/et-007-north-climb",
      title: "ET-7: Grade the north climb"
    })
    assert.containSubset(seen("gitea/pull_request_closed_branch_deleted"), { branch: "feature/et-007-north-climb" })
    assert.containSubset(seen("gitea/pull_request_closed_merged"), { open: false, merged: true })
    assert.containSubset(seen("gitea/pull_request_closed_unmerged"), { open: false, merged: false })
    const outside = { pull_request: { head: { repo_id: 77 } } }
    assert.containSubset(seen("gitea/pull_request_opened", outside), { fork: true })
    assert.containSubset(seen("gitea/pull_request_opened", { pull_request: { head: { repo_id: null } } }), {
      fork: true
    })
    assert.containSubset(seen("gitea/pull_request_opened", { pull_request: { head: { label: "", ref: "et-7" } } }), {
      fork: true
    })
    assert.containSubset(seen("gitea/pull_request_opened", { pull_request: { body: null, labels: null } }), {
      body: ""
    })
  })

  it("show who reviewed, and what was said", () => {
    const reviewed = (name: string) => Either.getOrThrow(decodeGiteaHook(typeOf(name), fixture(name)))
    assert.containSubset(reviewed("gitea/review_approved"), { review: { reviewer: "jonas", approved: true } })
    assert.containSubset(reviewed("gitea/review_rejected"), {
      review: {
        reviewer: "jonas",
        approved: false,
        content: "The third switchback is too steep:\n22 % is not rideable"
      }
    })
    assert.containSubset(reviewed("gitea/review_comment"), { review: undefined })
  })

  it("that cannot be read say why", () => {
    const decoded = decodeGiteaHook("status", changed("gitea/status_success", { id: "1003", sha: null }))
    assert.isTrue(Either.isLeft(decoded))
    if (Either.isLeft(decoded)) assert.match(decoded.left, /id: .*sha: /)
  })
})
