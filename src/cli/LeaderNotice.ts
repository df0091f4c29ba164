import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import type { ConfigError } from "effect"
import { Console, Effect } from "effect"
import { isIPv6 } from "node:net"
import { ServerConfig } from "../config/ServerConfig.js"
import { HealthReport } from "../health/Health.js"
import { Outbox } from "../outbox/Outbox.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"

// Where a server on every address of this machine is reached from the machine itself.
const everyAddress: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" }

const healthUrl = ({ host, port }: ServerConfig): string => {
  const name = everyAddress[host] ?? host
  return `http://${isIPv6(name) ? `[${name}]` : name}:${port}/health`
}

const health = (url: string) =>
  HttpClient.get(url).pipe(
    Effect.flatMap(HttpClientResponse.schemaBodyJson(HealthReport)),
    Effect.timeout("1 second"),
    Effect.provide(NodeHttpClient.layer)
  )

/**
 * Says, on standard error, when `what` was committed will not be sent soon: nobody sends from the database, or the serve of
 * `ORCH_HOST` and `ORCH_PORT` says that it is degraded. A sender without that serve, within a host program, is not asked.
 */
export const noteLeader = (what: string): Effect.Effect<
  void,
  ConfigError.ConfigError | StorageError,
  Outbox | Storage
> =>
  Effect.gen(function*() {
    const { where } = yield* Storage
    const sender = yield* (yield* Outbox).leader
    if (sender?.active !== true) {
      return yield* Console.error(
        `Nobody is sending from ${where}: ${what} is kept, and sent once \`plane-sync serve\` runs.`
      )
    }
    const url = healthUrl(yield* ServerConfig)
    yield* Effect.matchEffect(health(url), {
      onFailure: () => Effect.void,
      onSuccess: ({ reasons, status }) =>
        status === "ok"
          ? Effect.void
          : Console.error([`The plane-sync at ${url} is degraded; ${what} is kept:`, ...reasons].join("\n  "))
    })
  })
