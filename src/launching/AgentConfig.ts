import type { Redacted } from "effect"
import { Config, ConfigError, Data, Either, Redacted as Secret, Schema } from "effect"
import type { Accepted } from "../base/Setting.js"
import { anySecret, defineSetting, given, unset } from "../base/Setting.js"

/** A program and its arguments. */
export type CommandLine = readonly [program: string, ...args: Array<string>]

/** Who starts and stops agents in `serve`. */
export type AgentConfig = Data.TaggedEnum<{
  /** Nobody. Agents are started by others, or not at all. */
  Nobody: object
  /** A program on this machine, once for each launch. */
  Command: { readonly command: CommandLine }
  /** A server that is told by signed requests. */
  Webhook: { readonly url: string; readonly secret: Redacted.Redacted }
}>
const { Command, Nobody, Webhook } = Data.taggedEnum<AgentConfig>()

const JsonWords = Schema.parseJson(Schema.NonEmptyArray(Schema.String))

// A shell would give these a meaning. There is no shell, and nobody shall believe that there is one.
const shellSign = /["'$|;<>&`\\]/

const json = Schema.decodeEither(JsonWords)

/** A command as separate arguments, which no shell ever sees. */
const commandLine: Accepted<CommandLine | undefined> = {
  expected: "a program and its arguments with blanks between, like \"/usr/local/bin/run-agent --fast\", or a JSON " +
    "array of texts, like [\"/usr/local/bin/run-agent\",\"--name\",\"two words\"]",
  parse: (text) => {
    if (text.includes("\u0000")) return Either.left(`${given(text)} has a NUL character`)
    if (text.startsWith("[")) {
      const words = json(text)
      if (Either.isLeft(words)) return Either.left(`${given(text)} is no JSON array of texts`)
      const [program, ...args] = words.right
      return program.trim() === "" || words.right.some((word) => word.includes("\u0000"))
        ? Either.left(`${given(text)} names no program, or has a NUL character`)
        : Either.right([program, ...args])
    }
    const [sign] = shellSign.exec(text) ?? []
    if (sign !== undefined) {
      return Either.left(`${given(text)} has a ${sign}, and no shell reads it: write JSON`)
    }
    const [program = "", ...args] = text.split(/\s+/)
    return Either.right([program, ...args])
  }
}

/** The address of a webhook. It goes into log lines, so what may be secret is refused. */
const webhookUrl: Accepted<string> = {
  expected: "an address that takes POST requests, like \"https://agents.example.com/plane-sync\"",
  parse: (text) => {
    if (!URL.canParse(text)) return Either.left(`${given(text)} is not a URL`)
    const url = new URL(text)
    // The text is not repeated, because it holds a password.
    if (url.username !== "" || url.password !== "") {
      return Either.left("the URL carries a user name or a password: requests are signed instead")
    }
    if (url.protocol !== "http:" && url.protocol !== "https:") {
      return Either.left(`${given(text)} is neither http nor https`)
    }
    if (url.search !== "" || url.hash !== "") return Either.left("the URL has a query or a fragment")
    return Either.right(url.href)
  }
}

/** The settings of what starts and stops agents. */
export const agentSettings = {
  command: defineSetting({
    name: "ORCH_AGENT_COMMAND",
    about:
      "The program that starts and stops agents: see docs/agents.md. No shell reads it. A .env file that sets it, " +
      "and the program itself, must not be writable by others. Not together with ORCH_AGENT_WEBHOOK.",
    accepts: commandLine,
    default: unset<CommandLine | undefined>(undefined, "not set: no agent is launched")
  }),
  webhook: defineSetting({
    name: "ORCH_AGENT_WEBHOOK",
    about: "The address that is told to start and stop agents, by signed POST requests: see docs/agents.md.",
    accepts: webhookUrl,
    default: unset("", "not set: no agent is launched")
  }),
  webhookSecret: defineSetting({
    name: "ORCH_AGENT_WEBHOOK_SECRET",
    about: "The secret that requests to ORCH_AGENT_WEBHOOK are signed with. It is needed with that setting.",
    accepts: anySecret,
    default: unset(Secret.make("")),
    secret: true
  })
}

const { command: { definition: command }, webhook: { definition: webhook }, webhookSecret: { definition: secret } } =
  agentSettings

const invalid = (name: string, message: string) => Either.left(ConfigError.InvalidData([name], message))

/** Who starts agents. At most one of the two ways may be set, or each agent would be started twice. */
export const AgentConfig: Config.Config<AgentConfig> = Config.mapOrFail(
  Config.all(agentSettings),
  ({ command: line, webhook: url, webhookSecret }): Either.Either<AgentConfig, ConfigError.ConfigError> => {
    if (url === "") return Either.right(line === undefined ? Nobody() : Command({ command: line }))
    if (line !== undefined) {
      return invalid(
        webhook.name,
        `it is set, and ${command.name} too: expected one of the two, or each agent would be started twice`
      )
    }
    return Secret.value(webhookSecret) === ""
      ? invalid(
        secret.name,
        `it is not set, and ${webhook.name} is: expected the secret that its receiver checks signatures with, like ` +
          "that of `openssl rand -hex 32`"
      )
      : Either.right(Webhook({ url, secret: webhookSecret }))
  }
)
