import type { Redacted } from "effect"
import { Config, Either, Redacted as Secret } from "effect"
import { oneOf, setting } from "../base/Setting.js"

/** Who sends webhooks. */
export type Source = "plane" | "gitea"

export interface WebhookConfig {
  /** The secret that each sender signs with, whole (Plane's with its `plane_wh_`); empty if none is set. */
  readonly secrets: Readonly<Record<Source, Redacted.Redacted>>
  /** Whether hooks of a sender without a secret are accepted without a signature. */
  readonly insecure: boolean
}

/** The setting that holds a sender's secret. */
export const secretSetting: Readonly<Record<Source, string>> = {
  plane: "ORCH_PLANE_WEBHOOK_SECRET",
  gitea: "ORCH_GITEA_WEBHOOK_SECRET"
}

// Gitea accepts any text as a secret.
const secret = (source: Source) =>
  setting(secretSetting[source], Secret.make(""), (text) => Either.right(Secret.make(text)))

/** `ORCH_PLANE_WEBHOOK_SECRET`, `ORCH_GITEA_WEBHOOK_SECRET` and `ORCH_WEBHOOKS_INSECURE`. */
export const WebhookConfig: Config.Config<WebhookConfig> = Config.all({
  plane: secret("plane"),
  gitea: secret("gitea"),
  insecure: setting("ORCH_WEBHOOKS_INSECURE", "false", oneOf("true", "false"))
}).pipe(Config.map(({ gitea, insecure, plane }) => ({ secrets: { plane, gitea }, insecure: insecure === "true" })))
