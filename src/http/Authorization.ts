import * as HttpApiMiddleware from "@effect/platform/HttpApiMiddleware"
import * as HttpApiSecurity from "@effect/platform/HttpApiSecurity"
import { Effect, Layer, Redacted } from "effect"
import { createHash, timingSafeEqual } from "node:crypto"
import { ServerConfig } from "../config/ServerConfig.js"
import { Unauthorized, unauthorized } from "./Problem.js"

const digest = (text: string) => createHash("sha256").update(text).digest()

/** Asks for the bearer token of `ORCH_API_TOKEN` when one is set. */
export class Authorization extends HttpApiMiddleware.Tag<Authorization>()("plane-sync/Authorization", {
  failure: unauthorized,
  security: { bearer: HttpApiSecurity.bearer }
}) {
  static readonly layer = Layer.effect(
    Authorization,
    Effect.map(ServerConfig, ({ apiToken }) => {
      const isSet = Redacted.value(apiToken) !== ""
      const expected = digest(Redacted.value(apiToken))
      return Authorization.of({
        // Digests are compared, so that the time it takes shows neither where a guess first differs nor how long it is.
        bearer: (given) =>
          !isSet || timingSafeEqual(digest(Redacted.value(given)), expected)
            ? Effect.void
            : new Unauthorized({ error: "Expected the header Authorization: Bearer, with the token of ORCH_API_TOKEN" })
      })
    })
  )
}
