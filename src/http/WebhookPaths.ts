import type { Source } from "../webhooks/WebhookConfig.js"

/** The paths that take webhooks, by sender. */
export const webhookPaths = { plane: "/webhooks/plane", gitea: "/webhooks/gitea" } as const satisfies Record<
  Source,
  string
>
