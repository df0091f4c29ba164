import type { Redacted } from "effect"
import { Config, ConfigError, Either, Redacted as Secret } from "effect"
import { defineSetting, token, unset } from "../base/Setting.js"
import { giteaAddresses } from "../domain/GiteaAddress.js"

/** How to reach Gitea's API. */
export interface GiteaApi {
  /** Gitea's address, without the API's path and without a slash at the end. */
  readonly url: string
  readonly token: Redacted.Redacted
  /** Where both are set. */
  readonly names: { readonly url: string; readonly token: string }
}

export interface GiteaConfig {
  /** None if `ORCH_GITEA_URL` and `ORCH_GITEA_TOKEN` are not set: then Gitea cannot be asked. */
  readonly api: GiteaApi | undefined
  /** The address by which people reach it, if that is another one; empty if it is not set. */
  readonly publicUrl: string
}

/** The settings that say how Gitea is reached. */
export const giteaSettings = {
  ...giteaAddresses,
  token: defineSetting({
    name: "ORCH_GITEA_TOKEN",
    about: "A Gitea access token that may read the repositories.",
    accepts: token("the token as Gitea shows it"),
    default: unset(Secret.make("")),
    secret: true
  })
}

/** How Gitea is reached, by the settings. Address and token are set together, or neither is. */
export const GiteaConfig: Config.Config<GiteaConfig> = Config.all(giteaSettings).pipe(
  Config.mapOrFail(({ publicUrl, token, url }) => {
    const hasToken = Secret.value(token) !== ""
    if ((url === "") === hasToken) {
      const names = [giteaSettings.url.definition.name, giteaSettings.token.definition.name] as const
      const [missing, set] = hasToken ? names : [names[1], names[0]]
      return Either.left(ConfigError.InvalidData([missing], `it is not set, but ${set} is: expected both or neither`))
    }
    const names = { url: giteaSettings.url.definition.name, token: giteaSettings.token.definition.name }
    return Either.right({ api: hasToken ? { url, token, names } : undefined, publicUrl })
  })
)
