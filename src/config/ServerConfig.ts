import type { Redacted } from "effect"
import { Config, ConfigError, Either, Redacted as Secret } from "effect"
import { isIP, isIPv6 } from "node:net"
import type { Accepted } from "../base/Setting.js"
import { defineSetting, given, token, unset } from "../base/Setting.js"

/** Where the program listens, and who may use it. */
export interface ServerConfig {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** Empty when none is set: then everybody who reaches this machine's loopback may use `/api`. */
  readonly apiToken: Redacted.Redacted
  /** Empty when none is set: then whoever may use `/api` may also do what an operator does. */
  readonly operatorToken: Redacted.Redacted
}

/** Whether only this machine reaches what listens on `host`. */
export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host)

// What listens on every address of this machine is reached from the machine itself at these.
const everyAddress: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" }

/** An address and a port, as they are written in URLs. */
export const authorityOf = ({ host, port }: Pick<ServerConfig, "host" | "port">): string =>
  `${isIPv6(host) ? `[${host.replace("%", "%25")}]` : host}:${port}`

/** The URL at which this machine reaches what listens on an address. */
export const urlOf = ({ host, port }: Pick<ServerConfig, "host" | "port">): string =>
  `http://${authorityOf({ host: everyAddress[host] ?? host, port })}`

const ownAddress: Accepted<string> = {
  expected: `an address of this machine, like "127.0.0.1"`,
  parse: (text) => {
    // An address of IPv6 stands in brackets in URLs, and without them here.
    const host = text.replace(/^\[(.*)\]$/, "$1")
    return isIP(host) > 0 || /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(host)
      ? Either.right(host)
      : Either.left(`${given(host)} is not an address`)
  }
}

const bearerToken = token("letters, digits and signs alone, like those of `openssl rand -hex 32`")

const anyPort: Accepted<number> = {
  expected: "a number from 0 (any free one) to 65535",
  parse: (text) =>
    /^\d{1,5}$/.test(text) && Number(text) <= 65_535
      ? Either.right(Number(text))
      : Either.left(`${given(text)} is not a port`)
}

/** The settings of the HTTP interface. */
export const serverSettings = {
  host: defineSetting({
    name: "ORCH_HOST",
    about: "The address that the program listens on. ORCH_API_TOKEN must be set for anything but loopback.",
    accepts: ownAddress,
    default: "127.0.0.1"
  }),
  port: defineSetting({
    name: "ORCH_PORT",
    about: "The port that the program listens on. 0: any free port.",
    accepts: anyPort,
    default: "8500"
  }),
  apiToken: defineSetting({
    name: "ORCH_API_TOKEN",
    about: "When it is set, requests to /api/* and /metrics need it in a header: `Authorization: Bearer …`.",
    accepts: bearerToken,
    default: unset(Secret.make("")),
    secret: true
  }),
  operatorToken: defineSetting({
    name: "ORCH_OPERATOR_TOKEN",
    about:
      "When it is set, requests that overrule, pause or advance a task, or retry or discard dead letters, need this " +
      "token: ORCH_API_TOKEN is not enough. It may also do all that ORCH_API_TOKEN may. Keep it from agents.",
    accepts: bearerToken,
    default: unset(Secret.make("")),
    secret: true
  })
}

const { apiToken: { definition: apiToken }, host: { definition: host }, operatorToken: { definition: operatorToken } } =
  serverSettings

const wrongTokens = (config: ServerConfig): ConfigError.ConfigError | undefined => {
  const [api, operator] = [Secret.value(config.apiToken), Secret.value(config.operatorToken)]
  // An operator's token does not stand in for the other: without that, everybody may read and publish.
  if (api === "" && !isLoopback(config.host)) {
    return ConfigError.InvalidData(
      [apiToken.name],
      `it is not set, and ${host.name} "${config.host}" can be reached from other machines: ` +
        `set it, or leave ${host.name} at ${host.defaultText}`
    )
  }
  return api !== "" && api === operator
    ? ConfigError.InvalidData(
      [operatorToken.name],
      `it is the same as ${apiToken.name}, so agents would be operators: set another one, or leave it empty`
    )
    : undefined
}

/** The settings of the HTTP interface. A token is needed on anything but loopback, and no two tokens are the same. */
export const ServerConfig: Config.Config<ServerConfig> = Config.all(serverSettings).pipe(
  Config.mapOrFail((config) => {
    const wrong = wrongTokens(config)
    return wrong === undefined ? Either.right(config) : Either.left(wrong)
  })
)
