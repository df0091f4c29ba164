import { Config, Effect, Layer } from "effect"
import { resolve } from "node:path"
import { LogConfig } from "../config/LogConfig.js"
import { ServerConfig } from "../config/ServerConfig.js"
import { projectConfig } from "../domain/ProjectSettings.js"
import { GiteaConfig } from "../gitea/GiteaConfig.js"
import { AgentConfig, agentSettings } from "../launching/AgentConfig.js"
import { checkProgram, checkSource } from "../launching/TrustedFile.js"
import { PlaneConfig } from "../plane/PlaneConfig.js"
import { retention } from "../storage/Retention.js"
import { databaseFile } from "../storage/Storage.js"
import { launchLimit } from "../tasks/Launches.js"
import { WebhookConfig } from "../webhooks/WebhookConfig.js"
import { dotEnvFile, isOfDotEnv } from "./DotEnv.js"
import { loggingLayer } from "./Logging.js"

// Read together, before any layer reads its own: so a person is told of all wrong settings at once.
const settings = Config.all([
  PlaneConfig,
  projectConfig,
  ServerConfig,
  databaseFile,
  retention,
  launchLimit,
  AgentConfig,
  WebhookConfig,
  GiteaConfig,
  LogConfig
])

/** What others could write must not decide what the program runs. */
const checkAgents = Effect.gen(function*() {
  const config = yield* AgentConfig
  if (config._tag !== "Command") return
  if (yield* isOfDotEnv(agentSettings.command.definition.name)) yield* checkSource(resolve(dotEnvFile))
  yield* checkProgram(config.command)
})

/** Checks the settings, then loads the server and runs it until SIGTERM or SIGINT. */
export const serve = <A, E>(server: Effect.Effect<Layer.Layer<A, E>>) =>
  Effect.gen(function*() {
    yield* settings
    yield* checkAgents
    return yield* Effect.provide(Layer.launch(yield* server), loggingLayer)
  })
