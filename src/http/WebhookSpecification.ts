import { webhookPaths } from "./WebhookPaths.js"

/** A header of a webhook. */
const header = (name: string, description: string, example: string) => ({
  name,
  in: "header",
  required: true,
  description,
  schema: { type: "string" },
  example
})

const problem = (description: string, error: string) => ({
  description,
  content: { "application/json": { schema: { $ref: "#/components/schemas/Problem" }, example: { error } } }
})

const refused = (description: string, why: string) => problem(description, `The webhook was refused: ${why}`)

const accepted = {
  description: "It is on disk, or it is of a kind that never moves anything, and was counted",
  content: {
    "application/json": {
      schema: {
        type: "object",
        required: ["accepted"],
        properties: { accepted: { type: "boolean", enum: [true] } },
        additionalProperties: false
      },
      example: { accepted: true }
    }
  }
}

const signed = "The HMAC-SHA256 of the body's bytes with the webhook's secret: 64 lower-case hexadecimal digits"
const signature = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
const uuid = "5f0d1c7b-e2a9-4c3c-8f3e-8e0f6b9d2a11"

const responses = (setting: string) => ({
  202: accepted,
  400: refused("The body is no JSON, or broke off", "its body broke off"),
  401: refused(
    "The signature is missing, or is not that of the secret",
    `its signature is not that of ${setting}`
  ),
  403: problem("A web page has made a browser send it", "A browser's request to a webhook"),
  408: refused("The body took too long", "its body took longer than 10s"),
  413: refused("The body is larger than 32 MiB; without a signature: 5 MiB", "its body is larger than 33554432 bytes"),
  415: refused(
    "The sender is set to another content type",
    "its Content-Type is \"application/x-www-form-urlencoded\": set application/json at the sender"
  ),
  503: refused(
    "The secret is not set here, or there is no room in memory for the body now",
    `no secret is set: set ${setting}, or ORCH_WEBHOOKS_INSECURE=true to accept hooks without a signature`
  )
})

const body = (description: string, needed: string, example: unknown) => ({
  required: true,
  description,
  content: {
    "application/json": {
      schema: {
        type: "object",
        required: [needed],
        properties: { [needed]: { type: "object", additionalProperties: true } },
        additionalProperties: true
      },
      example
    }
  }
})

const userId = "f3b2a1c0-7a68-4b1c-9a55-0d6a2f8f3b11"

const planeBody = {
  event: "issue",
  action: "updated",
  data: {
    id: "1f2e681e-5315-40e4-899e-84a45c093a9b",
    sequence_id: 7,
    project: "7a79f0a9-5278-49cd-9007-9a338f238f9c",
    state: { id: "b873d9eb-993c-48cd-97ac-99a9b1623967", name: "In Progress", group: "started" },
    updated_at: "2026-11-29T17:00:09.707000Z"
  },
  activity: {
    field: "state",
    new_value: "b873d9eb-993c-48cd-97ac-99a9b1623967",
    actor: { id: userId, display_name: "lea" }
  }
}

const giteaBody = {
  id: 4,
  sha: "8f14e45fceea167a5a36dedd4bea2543f0a1b2c3",
  context: "ci/build",
  state: "success",
  description: "120 tests passed",
  repository: { id: 31, full_name: "trails/enduro", default_branch: "main" },
  sender: { login: "runner" }
}

const plane = {
  tags: ["webhooks"],
  operationId: "webhooks.plane",
  summary: "Take a webhook of Plane",
  description:
    "What a person does. Plane believes that a webhook was taken after any answer, and sends it again only when the " +
    "connection breaks: so where it may be taken later (storage fails, no room in memory) the connection is broken " +
    "without an answer.",
  parameters: [
    header("X-Plane-Delivery", "The webhook's own id", uuid),
    header("X-Plane-Event", "What it is about", "issue"),
    header("X-Plane-Signature", signed, signature)
  ],
  security: [],
  requestBody: body("As Plane 0.27 and newer sends it; more fields than these are ignored", "data", planeBody),
  responses: responses("ORCH_PLANE_WEBHOOK_SECRET")
}

const gitea = {
  tags: ["webhooks"],
  operationId: "webhooks.gitea",
  summary: "Take a webhook of Gitea or Forgejo",
  description:
    "Checks, reviews, merges. Forgejo's headers (X-Forgejo-…) will do as well. Gitea sends no webhook again by " +
    "itself, but shows the answer on the webhook's page, where a person can.",
  parameters: [
    header("X-Gitea-Delivery", "The webhook's own id", uuid),
    header("X-Gitea-Event-Type", "What it is about", "status"),
    header("X-Gitea-Signature", signed, signature)
  ],
  security: [],
  requestBody: body("As Gitea or Forgejo sends it; more fields than these are ignored", "repository", giteaBody),
  responses: {
    ...responses("ORCH_GITEA_WEBHOOK_SECRET"),
    500: problem(
      "Storage failed: send it again",
      "Storage ./data/plane-sync.sqlite: there is no space left for it (database or disk is full)"
    )
  }
}

/** The webhooks' paths as OpenAPI has them. They are routes beside the API, because their answers are not its own. */
export const webhookOperations: Readonly<Record<string, unknown>> = {
  [webhookPaths.plane]: { post: plane },
  [webhookPaths.gitea]: { post: gitea }
}
