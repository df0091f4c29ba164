import { Effect, Layer } from "effect"
import { resolve } from "node:path"
import { checkedSettings } from "../config/CheckedSettings.js"
import { AgentConfig, agentSettings } from "../launching/AgentConfig.js"
import { checkProgram, checkSource } from "../launching/TrustedFile.js"
import { dotEnvFile, isOfDotEnv } from "./DotEnv.js"
import { loggingLayer } from "./Logging.js"

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
    yield* checkedSettings
    yield* checkAgents
    return yield* Effect.provide(Layer.launch(yield* server), loggingLayer)
  })
