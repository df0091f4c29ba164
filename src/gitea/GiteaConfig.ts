import type { Redacted } from "effect"
import { Config, ConfigError, Either, Redacted as Secret } from "effect"
import { address, given, oneOf, setting, token } from "../base/Setting.js"

/** How to reach Gitea's API. */
export interface GiteaApi {
  /** Gitea's address, without the API's path and without a slash at the end. */
  readonly url: string
  readonly token: Redacted.Redacted
}

export interface GiteaConfig {
  /** None if `ORCH_GITEA_URL` and `ORCH_GITEA_TOKEN` are not set: then Gitea cannot be asked. */
  readonly api: GiteaApi | undefined
  /** Globs of the contexts that have to be green; empty: Gitea's combined status decides. */
  readonly requiredChecks: ReadonlyArray<string>
  /** What a check in the state `warning` counts as. */
  readonly warning: "success" | "failure" | "pending"
}

const parseChecks = (text: string): Either.Either<ReadonlyArray<string>, string> => {
  const globs = text.split(",").map((glob) => glob.trim())
  return globs.includes("")
    ? Either.left(
      `${given(text)} is not a list of checks: expected globs with commas between, like "ci/build, ci/test*"`
    )
    : Either.right(globs)
}

/** The settings `ORCH_GITEA_*`, except the webhook's secret. URL and token are set together, or neither is. */
export const GiteaConfig: Config.Config<GiteaConfig> = Config.all({
  url: setting("ORCH_GITEA_URL", "", address("Gitea", "http://localhost:3000")),
  token: setting("ORCH_GITEA_TOKEN", Secret.make(""), token("Gitea")),
  requiredChecks: setting("ORCH_GITEA_REQUIRED_CHECKS", [], parseChecks),
  // Older versions of Gitea count it as a success, newer ones as a failure. A failure is the safe choice.
  warning: setting("ORCH_GITEA_WARNING", "failure", oneOf("success", "failure", "pending"))
}).pipe(
  Config.mapOrFail(({ requiredChecks, token, url, warning }) => {
    const hasToken = Secret.value(token) !== ""
    if ((url === "") === hasToken) {
      const [missing, set] = hasToken
        ? ["ORCH_GITEA_URL", "ORCH_GITEA_TOKEN"] as const
        : ["ORCH_GITEA_TOKEN", "ORCH_GITEA_URL"] as const
      return Either.left(ConfigError.InvalidData([missing], `it is not set, but ${set} is: expected both or neither`))
    }
    return Either.right({ api: hasToken ? { url, token } : undefined, requiredChecks, warning })
  })
)
