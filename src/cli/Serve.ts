import { Config, ConfigError, Effect, Either, Layer } from "effect"
import { LogConfig } from "../config/LogConfig.js"
import { projectsConfig } from "../config/ProjectsConfig.js"
import { ServerConfig } from "../config/ServerConfig.js"
import { GiteaConfig } from "../gitea/GiteaConfig.js"
import { PlaneConfig } from "../plane/PlaneConfig.js"
import { retention } from "../storage/Retention.js"
import { databaseFile } from "../storage/Storage.js"
import { launchLimit } from "../tasks/Launches.js"
import { WebhookConfig } from "../webhooks/WebhookConfig.js"
import { loggingLayer } from "./Logging.js"

// Read together, before any layer reads its own: so a person is told of all wrong settings at once.
const settings = Config.all([
  PlaneConfig,
  ServerConfig,
  databaseFile,
  retention,
  launchLimit,
  WebhookConfig,
  GiteaConfig,
  LogConfig
])

/** All that is wrong with the variables and with the file of the projects. */
const checked: Effect.Effect<void, ConfigError.ConfigError> = Effect.gen(function*() {
  const read = [yield* Effect.either(Effect.asVoid(settings)), yield* Effect.either(Effect.asVoid(projectsConfig))]
  const [first, ...others] = read.filter(Either.isLeft).map(({ left }) => left)
  if (first !== undefined) yield* Effect.fail(others.reduce(ConfigError.And, first))
})

/** Checks the settings, then loads the server and runs it until SIGTERM or SIGINT. */
export const serve = <A, E>(server: Effect.Effect<Layer.Layer<A, E>>) =>
  Effect.gen(function*() {
    yield* checked
    return yield* Effect.provide(Layer.launch(yield* server), loggingLayer)
  })
