import { Config, ConfigError, Effect, Either } from "effect"
import { proxies } from "../base/Proxies.js"
import { GiteaConfig } from "../gitea/GiteaConfig.js"
import { AgentConfig } from "../launching/AgentConfig.js"
import { PlaneConfig } from "../plane/PlaneConfig.js"
import { retention } from "../storage/Retention.js"
import { databaseAddress } from "../storage/Storage.js"
import { launchLimit } from "../tasks/Launches.js"
import { WebhookConfig } from "../webhooks/WebhookConfig.js"
import { LogConfig } from "./LogConfig.js"
import { projectsConfig } from "./ProjectsConfig.js"
import { ServerConfig } from "./ServerConfig.js"

// Read together, before any layer reads its own: so a person is told of all wrong settings at once.
const settings = Config.all([
  PlaneConfig,
  ServerConfig,
  databaseAddress,
  retention,
  launchLimit,
  AgentConfig,
  WebhookConfig,
  GiteaConfig,
  LogConfig,
  proxies
])

/** Fails with all that is wrong with the variables and with the file of the projects. */
export const checkedSettings: Effect.Effect<void, ConfigError.ConfigError> = Effect.gen(function*() {
  const read = [yield* Effect.either(Effect.asVoid(settings)), yield* Effect.either(Effect.asVoid(projectsConfig))]
  const [first, ...others] = read.filter(Either.isLeft).map(({ left }) => left)
  if (first !== undefined) return yield* Effect.fail(others.reduce(ConfigError.And, first))
})
