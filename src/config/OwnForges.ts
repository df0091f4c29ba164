import { Config, ConfigError, Redacted } from "effect"
import type { Project } from "../domain/Project.js"
import { forgeAt } from "../gitea/Forges.js"
import { giteaSettings } from "../gitea/GiteaConfig.js"
import { webhookSettings } from "../webhooks/WebhookConfig.js"

/** The Gitea of all projects, as far as a project's own may not be it. */
const commonForgeConfig = Config.all({
  url: giteaSettings.url,
  secret: webhookSettings.gitea,
  previous: webhookSettings.giteaPrevious
})

const valueOf = (secret: Redacted.Redacted | undefined) => secret === undefined ? "" : Redacted.value(secret)

/**
 * What is wrong with the projects' own Giteas, taken together: a hook's signature must tell which of them has sent it,
 * and each is asked with one token.
 */
export const forgeErrors = (
  file: string,
  projects: ReadonlyArray<Project>
): Config.Config<ReadonlyArray<ConfigError.ConfigError>> =>
  Config.map(commonForgeConfig, ({ previous, secret, url }) => {
    const own = projects.flatMap(({ gitea, identifier, names }) =>
      gitea === undefined ? [] : [{
        ...gitea,
        place: `projects.${identifier}.gitea`,
        number: forgeAt(gitea.url),
        secret: valueOf(gitea.webhookSecret),
        token: valueOf(gitea.token),
        variable: names.giteaWebhookSecret
      }]
    )
    const common = [[secret, webhookSettings.gitea], [previous, webhookSettings.giteaPrevious]] as const
    return own.flatMap((one, index) => {
      const wrong = (field: string, message: string) => [
        ConfigError.InvalidData([`${file}: ${one.place}${field}`], message)
      ]
      const before = own.slice(0, index)
      if (one.secret === "" && one.token === "") {
        return wrong("", "it has neither a token nor a webhookSecret: expected one of them, or both")
      }
      if (one.url === url) {
        return wrong(
          ".url",
          `it is that of ${giteaSettings.url.definition.name}: expected another one, or no gitea here`
        )
      }
      const same = before.find((other) => other.url === one.url)
      if (same !== undefined) {
        return ["token", "secret"].flatMap((field) =>
          (field === "token" ? same.token === one.token : same.secret === one.secret)
            ? []
            : wrong(
              field === "token" ? ".token" : ".webhookSecret",
              `it is not that of ${same.place}, which is the same Gitea: expected the same variable`
            )
        )
      }
      if (before.some(({ number }) => number === one.number)) {
        return wrong(".url", "two Giteas cannot be told apart by these addresses: expected it in another spelling")
      }
      if (one.secret === "") return []
      const taken = common.find(([secret]) => valueOf(secret) === one.secret)?.[1].definition.name ??
        before.find(({ secret }) => secret === one.secret)?.variable
      return taken === undefined
        ? []
        : wrong(
          ".webhookSecret",
          `${one.variable} is the same secret as ${taken}, of another Gitea: expected one that tells them apart`
        )
    })
  })
