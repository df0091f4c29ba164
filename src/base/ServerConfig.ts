import type { Redacted } from "effect"
import { Config, ConfigError, Either, Redacted as Secret } from "effect"
import { isIP } from "node:net"

/** Where the program listens, and who may use it. */
export interface ServerConfig {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** Empty when none is set: then everybody who reaches this machine's loopback may use `/api`. */
  readonly apiToken: Redacted.Redacted
}

const invalid = (name: string, message: string) => ConfigError.InvalidData([name], message)

/** Whether only this machine reaches what listens on `host`. */
export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host)

const host = Config.string("ORCH_HOST").pipe(
  Config.withDefault(""),
  Config.mapOrFail((raw) => {
    // An address of IPv6 stands in brackets in URLs, without them here.
    const text = raw.trim().replace(/^\[(.*)\]$/, "$1") || "127.0.0.1"
    return isIP(text) > 0 || /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(text)
      ? Either.right(text)
      : Either.left(invalid(
        "ORCH_HOST",
        `${JSON.stringify(text.slice(0, 80))} is not an address: expected one of this machine's, like "127.0.0.1"`
      ))
  })
)

const port = Config.string("ORCH_PORT").pipe(
  Config.withDefault(""),
  Config.mapOrFail((raw) => {
    const text = raw.trim() || "8500"
    return /^\d{1,5}$/.test(text) && Number(text) <= 65_535
      ? Either.right(Number(text))
      : Either.left(invalid(
        "ORCH_PORT",
        `${JSON.stringify(text.slice(0, 80))} is not a port: expected a number from 0 (any free one) to 65535`
      ))
  })
)

const apiToken = Config.string("ORCH_API_TOKEN").pipe(
  Config.withDefault(""),
  Config.mapOrFail((raw) => {
    const text = raw.trim()
    return /^[\x21-\x7E]*$/.test(text)
      ? Either.right(Secret.make(text))
      : Either.left(
        invalid(
          "ORCH_API_TOKEN",
          "it has blanks or characters other than visible ASCII: expected letters, digits and signs alone, like those " +
            "of `openssl rand -hex 32`"
        )
      )
  })
)

/** `ORCH_HOST`, `ORCH_PORT` and `ORCH_API_TOKEN`, which is needed on anything but loopback. */
export const ServerConfig: Config.Config<ServerConfig> = Config.all({ host, port, apiToken }).pipe(
  Config.mapOrFail((config) =>
    isLoopback(config.host) || Secret.value(config.apiToken) !== ""
      ? Either.right(config)
      : Either.left(invalid(
        "ORCH_API_TOKEN",
        `it is not set, and ORCH_HOST "${config.host}" can be reached from other machines: ` +
          "set it, or leave ORCH_HOST at 127.0.0.1"
      ))
  )
)
