import { Effect } from "effect"
import type { Attack } from "../Attack.js"
import { Target } from "../Target.js"
import { delivery, must, raw, secret, send } from "../Wire.js"

const pullRequest = (action: string, head: string, review: string | null = null) =>
  JSON.stringify({
    action,
    repository: { id: 41, full_name: "acme/maps", default_branch: "main" },
    pull_request: {
      number: 7,
      title: "ET-7: trails",
      state: "open",
      user: { login: "rolf" },
      base: { ref: "main" },
      head: { ref: "et-7", sha: head, repo_id: 41 },
      created_at: "2026-11-20T08:00:00Z",
      updated_at: "2026-11-20T08:00:00Z"
    },
    review: review === null ? null : { type: review, content: "" },
    sender: { login: "rolf" }
  })

const replayed: Attack = {
  row: 69,
  name: "replayed",
  shows: "a signed hook that is sent again under another type tells nothing, and is counted as unreadable",
  inCi: true,
  run: Effect.gen(function*() {
    const { port } = yield* (yield* Target).serve({ ORCH_GITEA_WEBHOOK_SECRET: secret })
    const comment = pullRequest("reviewed", "a".repeat(40), "pull_request_review_comment")
    const push = pullRequest("synchronized", "a".repeat(40))
    for (
      const [event, body] of [
        ["pull_request_review_comment", comment],
        ["pull_request_review_approved", comment],
        ["pull_request_review_rejected", comment],
        ["pull_request_sync", push],
        ["pull_request_review_approved", push],
        ["pull_request", push]
      ] as const
    ) {
      const { status } = yield* send({ port }, delivery(body, { event }))
      yield* must(status === 202, `a hook was answered ${status}`)
    }
    yield* Effect.sleep("1 second")
    const { text } = yield* send({ port }, raw("GET /health", [["Host", "localhost"]]))
    for (const [kind, count] of [["_review_approved", 2], ["_review_rejected", 1], ["", 1]] as const) {
      const said = `"kind":"unreadable: pull_request${kind}","count":${count}`
      yield* must(text.includes(said), `/health does not say ${said}: ${text}`)
    }
  })
}

/** What signed hooks are abused for. */
export const hookAttacks: ReadonlyArray<Attack> = [replayed]
