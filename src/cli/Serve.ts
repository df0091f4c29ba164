import { Config, ConfigError, Effect, Either, Layer } from "effect"
import { resolve } from "node:path"
import { LogConfig } from "../config/LogConfig.js"
import { namedVariables, projectsConfig } from "../config/ProjectsConfig.js"
import { ServerConfig } from "../config/ServerConfig.js"
import { unknownVariableLine, unknownVariables } from "../config/UnknownVariables.js"
import { GiteaConfig } from "../gitea/GiteaConfig.js"
import { AgentConfig, agentSettings } from "../launching/AgentConfig.js"
import { checkProgram, checkSource } from "../launching/TrustedFile.js"
import { PlaneConfig } from "../plane/PlaneConfig.js"
import { retention } from "../storage/Retention.js"
import { databaseFile } from "../storage/Storage.js"
import { launchLimit } from "../tasks/Launches.js"
import { WebhookConfig } from "../webhooks/WebhookConfig.js"
import { dotEnvFile, isOfDotEnv, variableNames } from "./DotEnv.js"
import { loggingLayer } from "./Logging.js"

// Read together, before any layer reads its own: so a person is told of all wrong settings at once.
const settings = Config.all([
  PlaneConfig,
  ServerConfig,
  databaseFile,
  retention,
  launchLimit,
  AgentConfig,
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

/** What others could write must not decide what the program runs. */
const checkAgents = Effect.gen(function*() {
  const config = yield* AgentConfig
  if (config._tag !== "Command") return
  if (yield* isOfDotEnv(agentSettings.command.definition.name)) yield* checkSource(resolve(dotEnvFile))
  yield* checkProgram(config.command)
})

/** Warns of variables that are probably mistyped. */
const warnOfUnknown = Effect.gen(function*() {
  const unknown = unknownVariables(yield* variableNames, yield* namedVariables)
  yield* Effect.forEach(unknown, (each) => Effect.logWarning(unknownVariableLine(each)), { discard: true })
})

/** Checks the settings, then loads the server and runs it until SIGTERM or SIGINT. */
export const serve = <A, E>(server: Effect.Effect<Layer.Layer<A, E>>) =>
  Effect.gen(function*() {
    yield* checked
    yield* checkAgents
    const launched = Layer.launch(yield* server)
    return yield* Effect.provide(Effect.zipRight(warnOfUnknown, launched), loggingLayer)
  })
