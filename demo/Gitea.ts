import type * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { DateTime, Effect } from "effect"
import { createHmac, randomUUID } from "node:crypto"

/** A pull request as it is at one moment. */
export interface PullRequest {
  readonly number: number
  readonly branch: string
  readonly title: string
  readonly headSha: string
  /** The branch that it goes into; the default branch, if it is not given. */
  readonly base?: string
}

/**
 * Something that happens in Gitea and that Gitea sends a hook for: the event's name there, and what its body has beside
 * the pull request.
 */
export type Happening =
  | { readonly _tag: "PullRequest"; readonly action: "opened" | "synchronized" | "closed" }
  | { readonly _tag: "Review"; readonly approved: boolean; readonly content: string }
  | {
    readonly _tag: "Status"
    readonly state: "success" | "failure"
    readonly description: string
    /** Where people see why. */
    readonly page?: string
  }

/** The only check that a pull request needs in the demo. */
export const requiredCheck = "ci/build"

/** The only repository of the demo. */
export const repository = { id: 31, full_name: "trails/enduro", default_branch: "main" }

const eventType = (happening: Happening): string => {
  switch (happening._tag) {
    case "PullRequest":
      return happening.action === "synchronized" ? "pull_request_sync" : "pull_request"
    case "Review":
      return happening.approved ? "pull_request_review_approved" : "pull_request_review_rejected"
    case "Status":
      return "status"
  }
}

const bodyOf = (happening: Happening, pullRequest: PullRequest, id: number, now: string) => {
  const { base = repository.default_branch, branch, headSha, number, title } = pullRequest
  if (happening._tag === "Status") {
    const { description, page, state } = happening
    const target_url = page ?? ""
    const sender = { login: "runner" }
    return { id, sha: headSha, context: requiredCheck, state, description, target_url, repository, sender }
  }
  const merged = happening._tag === "PullRequest" && happening.action === "closed"
  return {
    action: happening._tag === "Review" ? "reviewed" : happening.action,
    number,
    pull_request: {
      number,
      title,
      body: "",
      state: merged ? "closed" : "open",
      merged,
      merged_at: merged ? now : null,
      draft: false,
      user: { login: "developer" },
      base: { label: base, ref: base, repo_id: repository.id },
      head: { label: branch, ref: branch, sha: headSha, repo_id: repository.id },
      created_at: now,
      updated_at: now
    },
    repository,
    ...(happening._tag === "Review" ? { review: { type: eventType(happening), content: happening.content } } : {}),
    sender: { login: happening._tag === "Review" ? "mira" : "developer" }
  }
}

let statuses = 0

/** Sends a hook as Gitea does, signed with the webhook's secret. */
export const deliver = (client: HttpClient.HttpClient, secret: string) =>
  Effect.fnUntraced(function*(happening: Happening, pullRequest: PullRequest) {
    const now = DateTime.formatIso(yield* DateTime.now)
    const body = JSON.stringify(bodyOf(happening, pullRequest, statuses += 1, now))
    yield* HttpClientRequest.post("/webhooks/gitea").pipe(
      HttpClientRequest.setHeaders({
        "X-Gitea-Event-Type": eventType(happening),
        "X-Gitea-Delivery": randomUUID(),
        "X-Gitea-Signature": createHmac("sha256", secret).update(body).digest("hex")
      }),
      HttpClientRequest.bodyText(body, "application/json"),
      client.execute
    )
  })
