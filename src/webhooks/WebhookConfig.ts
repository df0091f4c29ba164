import type { Redacted } from "effect"
import { Config, Redacted as Secret } from "effect"
import { anySecret, defineSetting, oneOf, unset } from "../base/Setting.js"

/** Who sends webhooks. */
export type Source = "plane" | "gitea"

export interface WebhookConfig {
  /** The secret that each sender signs with, whole (Plane's with its `plane_wh_`); empty if none is set. */
  readonly secrets: Readonly<Record<Source, Redacted.Redacted>>
  /** Whether the hooks of a sender without a secret are accepted. */
  readonly insecure: boolean
}

/** The settings of webhooks. Blanks at the end of a secret are dropped, because they come from copying it. */
export const webhookSettings = {
  plane: defineSetting({
    name: "ORCH_PLANE_WEBHOOK_SECRET",
    about: "The secret that Plane signs its hooks to /webhooks/plane with: all of it, with its plane_wh_.",
    accepts: anySecret,
    default: unset(Secret.make("")),
    secret: true
  }),
  gitea: defineSetting({
    name: "ORCH_GITEA_WEBHOOK_SECRET",
    about: "The secret that Gitea signs its hooks to /webhooks/gitea with.",
    accepts: anySecret,
    default: unset(Secret.make("")),
    secret: true
  }),
  insecure: defineSetting({
    name: "ORCH_WEBHOOKS_INSECURE",
    about:
      "true: hooks of a sender whose secret is not set are accepted without a signature. Only for trying things out.",
    accepts: oneOf(["true", "false"]),
    default: "false"
  })
}

/** The setting that holds a sender's secret. */
export const secretSetting: Readonly<Record<Source, string>> = {
  plane: webhookSettings.plane.definition.name,
  gitea: webhookSettings.gitea.definition.name
}

/** The secrets of both senders, and whether hooks without one are accepted. */
export const WebhookConfig: Config.Config<WebhookConfig> = Config.map(
  Config.all(webhookSettings),
  ({ gitea, insecure, plane }) => ({ secrets: { plane, gitea }, insecure: insecure === "true" })
)
