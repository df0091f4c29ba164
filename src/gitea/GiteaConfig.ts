import type { Redacted } from "effect"
import { Config, ConfigError, Either, Redacted as Secret } from "effect"
import type { Accepted } from "../base/Setting.js"
import { address, defineSetting, given, oneOf, token, unset } from "../base/Setting.js"

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

const checks: Accepted<ReadonlyArray<string>> = {
  expected: `globs with commas between, like "ci/build, ci/test*"`,
  parse: (text) => {
    const globs = text.split(",").map((glob) => glob.trim())
    return globs.includes("") ? Either.left(`${given(text)} is not a list of checks`) : Either.right(globs)
  }
}

/** The settings `ORCH_GITEA_*` but the webhook's secret. */
export const giteaSettings = {
  url: defineSetting({
    name: "ORCH_GITEA_URL",
    about:
      "The address of Gitea, without /api/v1. With it and a token, Gitea is asked for merges, checks and approvals: " +
      "before a stage is left, at the start and every 10 minutes.",
    accepts: address("Gitea", "http://localhost:3000"),
    default: unset("")
  }),
  token: defineSetting({
    name: "ORCH_GITEA_TOKEN",
    about: "A Gitea access token that may read the repositories.",
    accepts: token("the token as Gitea shows it"),
    default: unset(Secret.make("")),
    secret: true
  }),
  requiredChecks: defineSetting({
    name: "ORCH_GITEA_REQUIRED_CHECKS",
    about:
      "The checks that must be green: globs with commas between. Without any, Gitea's status of all checks together " +
      "decides.",
    accepts: checks,
    default: unset([])
  }),
  // Versions differ: some count a warning as a success, newer ones as a failure. The default is the stricter one.
  warning: defineSetting({
    name: "ORCH_GITEA_WARNING",
    about: "What a check that ends in a warning counts as: success, failure or pending.",
    accepts: oneOf(["success", "failure", "pending"]),
    default: "failure"
  })
}

/** The settings `ORCH_GITEA_*` but the webhook's secret. Address and token are set together, or neither is. */
export const GiteaConfig: Config.Config<GiteaConfig> = Config.all(giteaSettings).pipe(
  Config.mapOrFail(({ requiredChecks, token, url, warning }) => {
    const hasToken = Secret.value(token) !== ""
    if ((url === "") === hasToken) {
      const names = [giteaSettings.url.definition.name, giteaSettings.token.definition.name] as const
      const [missing, set] = hasToken ? names : [names[1], names[0]]
      return Either.left(ConfigError.InvalidData([missing], `it is not set, but ${set} is: expected both or neither`))
    }
    return Either.right({ api: hasToken ? { url, token } : undefined, requiredChecks, warning })
  })
)
