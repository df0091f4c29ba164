import type { Redacted } from "effect"
import { Config, Console, Effect, Redacted as Secret } from "effect"
import { randomBytes } from "node:crypto"
import type { Setting } from "../../base/Setting.js"
import { authorityOf, isLoopback, serverSettings } from "../../config/ServerConfig.js"
import type { Access } from "../../plane/Survey.js"
import { webhookSettings } from "../../webhooks/WebhookConfig.js"
import { askSecretOrNone, askYesOrNo } from "./Questions.js"

/** How others reach this program. Where only this machine does, a person has to say what it is called. */
const receiver = Effect.map(Config.all([serverSettings.host, serverSettings.port]), ([host, port]) => {
  const isNamed = !isLoopback(host) && host !== "0.0.0.0" && host !== "::"
  return `http://${isNamed ? authorityOf({ host, port }) : `<this machine>:${port}`}/webhooks`
})

const gitea = webhookSettings.gitea.definition.name
const plane = webhookSettings.plane.definition.name

/** A secret that is set stays as it is. Another one is only got from a person. */
const secretOf = <E, R>(
  setting: Setting<Redacted.Redacted>,
  isAsked: boolean,
  ask: Effect.Effect<Redacted.Redacted | undefined, E, R>
) =>
  Effect.flatMap(setting, (secret) => {
    if (Secret.value(secret) !== "") {
      return Effect.as(Console.log(`        Its secret is set: ${setting.definition.name}`), secret)
    }
    return isAsked ? ask : Effect.sync(() => undefined)
  })

const askGitea = Effect.gen(function*() {
  if (!(yield* askYesOrNo("Make a secret for Gitea?", false))) return undefined
  yield* Console.log(`        It will be in .env: copy it from the line ${gitea}`)
  return Secret.make(randomBytes(24).toString("hex"))
})

/**
 * Says where the webhooks of Plane and Gitea are made and where they lead, and gets their secrets, by their variables.
 * Plane makes its secret itself; that of Gitea is made here.
 */
export const offerHooks = ({ url, workspace }: Access, isAsked: boolean) =>
  Effect.gen(function*() {
    const here = yield* receiver
    yield* Console.log(
      "\nWebhooks tell plane-sync what people do, if it is to decide when a stage changes.\n" +
        "<this machine> is how Plane and Gitea reach it: from a container on it,\nhost.docker.internal.\n\n" +
        `Plane   ${url}/${encodeURIComponent(workspace)}/settings/webhooks/ > Add webhook\n` +
        `        URL ${here}/plane, events: Issues`
    )
    const ofPlane = yield* secretOf(
      webhookSettings.plane,
      isAsked,
      askSecretOrNone("The secret that Plane shows then, Enter: later")
    )
    yield* Console.log(
      `\nGitea   the repository's Settings > Webhooks > Add webhook > Gitea\n        URL ${here}/gitea`
    )
    const ofGitea = yield* secretOf(webhookSettings.gitea, isAsked, askGitea)
    const secrets = new Map<string, string>()
    if (ofPlane !== undefined) secrets.set(plane, Secret.value(ofPlane))
    if (ofGitea !== undefined) secrets.set(gitea, Secret.value(ofGitea))
    return secrets
  })
