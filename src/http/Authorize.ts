import { Effect, Layer, Redacted } from "effect"
import { createHash, timingSafeEqual } from "node:crypto"
import { ServerConfig } from "../config/ServerConfig.js"
import { Authorization } from "./Api.js"
import { Unauthorized } from "./Problem.js"

const digest = (text: string) => createHash("sha256").update(text).digest()

/**
 * Asks for the token of `ORCH_API_TOKEN` when one is set. Digests are compared, so neither where a guess first differs
 * nor how long it is shows in the time it takes.
 */
export const authorizationLayer = Layer.effect(
  Authorization,
  Effect.map(ServerConfig, ({ apiToken }) => {
    const isSet = Redacted.value(apiToken) !== ""
    const expected = digest(Redacted.value(apiToken))
    return Authorization.of({
      bearer: (given) =>
        !isSet || timingSafeEqual(digest(Redacted.value(given)), expected)
          ? Effect.void
          : new Unauthorized({ error: "Expected the header Authorization: Bearer, with the token of ORCH_API_TOKEN" })
    })
  })
)
