import { DateTime, Effect, Redacted } from "effect"
import { isThisMachine } from "../base/Proxies.js"
import type { EpochMillis } from "../base/Time.js"
import { toTheSecond } from "../base/Time.js"
import type { Project } from "../domain/Project.js"
import type { HealthReport } from "../health/HealthReport.js"
import type { PlaneConfig } from "../plane/PlaneConfig.js"
import type { Source } from "../webhooks/WebhookConfig.js"
import { previousSetting, secretSetting, WebhookConfig, webhookSettings } from "../webhooks/WebhookConfig.js"
import type { Finding, Outcome } from "./Finding.js"
import { Failed, found, Passed, Skipped, Warned } from "./Finding.js"

/** What is known of the senders of webhooks. */
export interface Heard {
  /** By the database, which keeps what came for 7 days. */
  readonly stored: ReadonlyMap<Source, EpochMillis>
  /** Of a running program. */
  readonly health: HealthReport | undefined
  readonly projects: ReadonlyArray<Project>
  /** Where Plane is, if that is known. */
  readonly plane: PlaneConfig | undefined
  /** Where Gitea is, if it is set. */
  readonly gitea: string | undefined
}

const isSet = (secret: Redacted.Redacted | undefined) => secret !== undefined && Redacted.value(secret) !== ""

const privateName = /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.)|\.(?:local|internal|lan|home)$/

/** Whether a host is likely to be in the same private network as this machine. */
const isPrivate = (url: string) => {
  const { hostname } = new URL(url)
  return isThisMachine(hostname) || privateName.test(hostname) || !hostname.includes(".")
}

/** Where the webhook is switched on. */
const pageOf = (source: Source, { gitea, plane, projects }: Heard): string => {
  if (source === "gitea") {
    return `the webhooks of the repository or organization${gitea === undefined ? "" : ` at ${gitea}`}`
  }
  if (plane === undefined) return "the workspace's settings in Plane, Webhooks"
  const slugs = new Set(projects.map(({ own }) => own.workspaceSlug ?? plane.workspaceSlug))
  return Array.from(slugs, (slug) => `${plane.url}/${slug}/settings/webhooks/`).join(" and ")
}

const allowing = (source: Source, { gitea, plane }: Heard): string => {
  if (source === "gitea") {
    return gitea !== undefined && isPrivate(gitea)
      ? ". If this machine has a private address, Gitea's app.ini needs it in webhook.ALLOWED_HOST_LIST"
      : ""
  }
  return plane !== undefined && isPrivate(plane.url)
    ? ". If this machine has a private address, Plane's server needs it in WEBHOOK_ALLOWED_HOSTS or WEBHOOK_ALLOWED_IPS"
    : ""
}

/** When the sender was last heard, by whatever knows of it later. */
const lastHeard = (source: Source, { health, stored }: Heard): number | undefined => {
  const accepted = health?.webhooks[source].lastAccepted ?? null
  const times = [stored.get(source), accepted === null ? undefined : DateTime.toEpochMillis(accepted)]
    .filter((at) => at !== undefined)
  return times.length === 0 ? undefined : Math.max(...times)
}

const heardOrNot = (source: Source, facts: Heard): Finding => {
  const at = lastHeard(source, facts)
  const refused = facts.health?.webhooks[source].lastRefused ?? null
  if (refused !== null && DateTime.toEpochMillis(refused.at) > (at ?? 0)) {
    return Failed({
      seen:
        `the last one to /webhooks/${source}, at ${toTheSecond(DateTime.toEpochMillis(refused.at))}, was refused: ` +
        refused.why,
      mend: `give ${pageOf(source, facts)} the secret of ${secretSetting[source]}, whole`
    })
  }
  return at === undefined
    ? Warned({
      seen: `${secretSetting[source]} is set, and none came to /webhooks/${source} in the last 7 days`,
      mend: `switch it on at ${pageOf(source, facts)}, with the address of this machine and /webhooks/${source}` +
        allowing(source, facts)
    })
    : Passed({ seen: `${secretSetting[source]} is set, and the last one came at ${toTheSecond(at)}` })
}

/** The webhooks of one sender: its secrets, and when it was last heard. */
export const checkWebhooks = (source: Source, facts: Heard): Effect.Effect<Outcome<never>> =>
  Effect.gen(function*() {
    const config = yield* Effect.either(WebhookConfig)
    if (config._tag === "Left") return found(Skipped({ why: "a setting that it needs is wrong" }))
    const { insecure, previous, secrets } = config.right
    const own = facts.projects.filter(({ gitea, webhookSecret }) =>
      isSet(source === "plane" ? webhookSecret : gitea?.webhookSecret)
    )
    if (!isSet(secrets[source]) && own.length === 0) {
      return found(
        insecure
          ? Warned({
            seen: `${webhookSettings.insecure.definition.name}: those of anybody are taken`,
            mend: `set ${secretSetting[source]}, and remove ${webhookSettings.insecure.definition.name}`
          })
          : Skipped({ why: `${secretSetting[source]} is not set, so none is taken` })
      )
    }
    return found(
      heardOrNot(source, facts),
      ...(isSet(previous[source])
        ? [Warned({
          seen: `${previousSetting[source]} is still set, and what is signed with it is taken`,
          mend: `give the sender the secret of ${secretSetting[source]}, then remove ${previousSetting[source]}`
        })]
        : [])
    )
  })
