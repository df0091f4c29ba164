import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import type { ConfigError } from "effect"
import { Console, Effect } from "effect"
import { ServerConfig, urlOf } from "../config/ServerConfig.js"
import { askHealth } from "../health/AskHealth.js"
import { Outbox } from "../outbox/Outbox.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"

const health = (url: string) => Effect.provide(askHealth(url), NodeHttpClient.layer)

/** What the server at `ORCH_HOST` and `ORCH_PORT` says of itself. */
export const serverHealth = Effect.flatMap(ServerConfig, (config) => health(urlOf(config)))

/**
 * Tells a person, on standard error, when `what` was stored and will not be sent soon: no process is the leader, or the
 * server at `ORCH_HOST` and `ORCH_PORT` reports that it is degraded. A leader without such a server, within a host
 * program, is not asked.
 */
export const leaderNotice = (what: string): Effect.Effect<
  void,
  ConfigError.ConfigError | StorageError,
  Outbox | Storage
> =>
  Effect.gen(function*() {
    const { where } = yield* Storage
    const leader = yield* (yield* Outbox).leader
    if (leader?.active !== true) {
      return yield* Console.error(`Nobody is sending from ${where}: ${what} waits until \`plane-sync serve\` runs.`)
    }
    const server = urlOf(yield* ServerConfig)
    yield* Effect.matchEffect(health(server), {
      onFailure: () => Effect.void,
      onSuccess: ({ waits }) =>
        waits.length === 0
          ? Effect.void
          : Console.error(
            [`The plane-sync at ${server}/health is degraded, so ${what} may wait:`, ...waits].join("\n  ")
          )
    })
  })
