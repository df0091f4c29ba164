import type * as FileSystem from "@effect/platform/FileSystem"
import { Effect } from "effect"
import { resolve } from "node:path"
import { AgentConfig, agentSettings } from "../launching/AgentConfig.js"
import { checkProgram, checkTrusted } from "../launching/TrustedFile.js"
import type { Outcome } from "./Finding.js"
import { Failed, found, Passed, Skipped } from "./Finding.js"
import { splitAdvice } from "./PlaneAccess.js"
import type { IsOfDotEnv } from "./SettingsCheck.js"

const { command: { definition: command }, webhook: { definition: webhook } } = agentSettings

/** What starts agents: whether the program is there, and only those may write it who may decide what runs. */
export const checkAgents = <R>(
  isOfDotEnv: IsOfDotEnv<R>
): Effect.Effect<Outcome<never>, never, FileSystem.FileSystem | R> =>
  Effect.gen(function*() {
    const config = yield* Effect.either(AgentConfig)
    if (config._tag === "Left") return found(Skipped({ why: "a setting that it needs is wrong" }))
    switch (config.right._tag) {
      case "Nobody":
        return found(Skipped({ why: `neither ${command.name} nor ${webhook.name} is set, so serve launches nobody` }))
      case "Webhook":
        return found(Passed({ seen: `${config.right.url} is told by signed requests; it is not asked now` }))
      case "Command": {
        const line = config.right.command
        const source = (yield* isOfDotEnv(command.name)) ? checkTrusted(resolve(".env")) : Effect.void
        return yield* Effect.match(Effect.zipRight(source, checkProgram(line)), {
          onFailure: ({ message }) => {
            const { mend, seen } = splitAdvice(message, `check ${command.name}`)
            // What is expected ends in the command that makes it so, if there is one.
            const [, line = `set ${command.name} to a program that is there`] = /\((ch\w+ .*)\)$/.exec(mend) ?? []
            return found(Failed({ seen, mend: line }))
          },
          onSuccess: () => found(Passed({ seen: `${line[0]} is there, and only its owner may write it` }))
        })
      }
    }
  })
