import { Effect, Layer } from "effect"
import { resolve } from "node:path"
import { checkedSettings } from "../config/CheckedSettings.js"
import { namedVariables } from "../config/ProjectsConfig.js"
import { unknownVariableLine, unknownVariables } from "../config/UnknownVariables.js"
import { AgentConfig, agentSettings } from "../launching/AgentConfig.js"
import { checkProgram, checkTrusted } from "../launching/TrustedFile.js"
import { dotEnvFile, isOfDotEnv, variableNames } from "./DotEnv.js"
import { loggingLayer } from "./Logging.js"

/** What others could write must not decide what the program runs. */
const checkAgents = Effect.gen(function*() {
  const config = yield* AgentConfig
  if (config._tag !== "Command") return
  if (yield* isOfDotEnv(agentSettings.command.definition.name)) yield* checkTrusted(resolve(dotEnvFile))
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
    yield* checkedSettings
    yield* checkAgents
    const launched = Layer.launch(yield* server)
    return yield* Effect.provide(Effect.zipRight(warnOfUnknown, launched), loggingLayer)
  })
