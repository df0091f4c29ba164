import type { ConfigError } from "effect"
import { Effect, Layer } from "effect"
import { connections } from "../base/Connections.js"
import { textLimit, visibleLine } from "../base/Text.js"
import type { Projects } from "../domain/Projects.js"
import type { Launch } from "../tasks/AgentLauncher.js"
import { AgentLauncher } from "../tasks/AgentLauncher.js"
import { commandLayer } from "./AgentCommand.js"
import { AgentConfig, agentSettings } from "./AgentConfig.js"
import { webhookLayer } from "./AgentWebhook.js"

const { command: { definition: command }, webhook: { definition: webhook } } = agentSettings

/** For agents that were launched before the settings were taken out. */
const cannotStop = ({ agent, entry, task }: Launch) =>
  Effect.logWarning(
    `${visibleLine(agent, textLimit)} may still be at work for ${task.workItem}: neither ${command.name} nor ` +
      `${webhook.name} is set, so nobody is told to stop it`
  ).pipe(Effect.annotateLogs({ transition: entry }))

const nobody: Layer.Layer<AgentLauncher> = Layer.effect(
  AgentLauncher,
  Effect.as(
    Effect.logInfo(`No agents are launched: neither ${command.name} nor ${webhook.name} is set`),
    // A pipeline that launches nobody has no launches.
    AgentLauncher.of({ launch: () => Effect.void, stop: cannotStop })
  )
)

/** What starts and stops the agents of `serve`: a command, a webhook, or nobody. */
export const launcherLayer: Layer.Layer<AgentLauncher, ConfigError.ConfigError, Projects> = Layer.unwrapEffect(
  Effect.map(AgentConfig, (config) => {
    switch (config._tag) {
      case "Command":
        return commandLayer(config.command)
      case "Webhook":
        return Layer.provide(webhookLayer(config), connections)
      case "Nobody":
        return nobody
    }
  })
)
