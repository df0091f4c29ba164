import type { Redacted } from "effect"
import { Config, ConfigError, Either, Redacted as Secret } from "effect"
import { anySecret, defineSetting, oneOf, unset } from "../base/Setting.js"

/** Who sends webhooks. */
export type Source = "plane" | "gitea"

export interface WebhookConfig {
  /** The secret that each sender signs with, whole (Plane's with its `plane_wh_`); empty if none is set. */
  readonly secrets: Readonly<Record<Source, Redacted.Redacted>>
  /** The secret that it signed with before, which is accepted as well; empty if none is set. */
  readonly previous: Readonly<Record<Source, Redacted.Redacted>>
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
  planePrevious: defineSetting({
    name: "ORCH_PLANE_WEBHOOK_SECRET_PREVIOUS",
    about: "The secret that Plane signed with before. It is accepted as well, so that a change loses no hook.",
    accepts: anySecret,
    default: unset(Secret.make("")),
    secret: true
  }),
  gitea: defineSetting({
    name: "ORCH_GITEA_WEBHOOK_SECRET",
    about: "The secret that Gitea or Forgejo signs its hooks to /webhooks/gitea with.",
    accepts: anySecret,
    default: unset(Secret.make("")),
    secret: true
  }),
  giteaPrevious: defineSetting({
    name: "ORCH_GITEA_WEBHOOK_SECRET_PREVIOUS",
    about:
      "The secret that Gitea or Forgejo signed with before. It is accepted as well, so that a change loses no hook.",
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

/** The setting that holds the secret that a sender signed with before. */
export const previousSetting: Readonly<Record<Source, string>> = {
  plane: webhookSettings.planePrevious.definition.name,
  gitea: webhookSettings.giteaPrevious.definition.name
}

const isSet = (secret: Redacted.Redacted) => Secret.value(secret) !== ""

/** The secrets of both senders, and whether hooks without one are accepted. */
export const WebhookConfig: Config.Config<WebhookConfig> = Config.mapOrFail(
  Config.all(webhookSettings),
  ({ gitea, giteaPrevious, insecure, plane, planePrevious }) => {
    const config: WebhookConfig = {
      secrets: { plane, gitea },
      previous: { plane: planePrevious, gitea: giteaPrevious },
      insecure: insecure === "true"
    }
    for (const source of ["plane", "gitea"] as const) {
      if (isSet(config.previous[source]) && !isSet(config.secrets[source])) {
        return Either.left(ConfigError.InvalidData(
          [previousSetting[source]],
          `it is set and ${secretSetting[source]} is not: expected the new secret there, or none here`
        ))
      }
    }
    return Either.right(config)
  }
)
