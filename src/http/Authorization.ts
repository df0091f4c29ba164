import * as HttpApiMiddleware from "@effect/platform/HttpApiMiddleware"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as HttpApiSecurity from "@effect/platform/HttpApiSecurity"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as OpenApi from "@effect/platform/OpenApi"
import { Context, Effect, Layer, Redacted } from "effect"
import { createHash, timingSafeEqual } from "node:crypto"
import { ServerConfig } from "../config/ServerConfig.js"
import { Forbidden, forbidden, Unauthorized, unauthorized } from "./Problem.js"

/** Whoever sent a request that may be answered. */
export class Caller extends Context.Tag("plane-sync/Caller")<Caller, {
  /** By the token that came with the request, for the log. */
  readonly who: string
  /** A token has told who it is. */
  readonly isKnown: boolean
  /** Fails if the caller may not do what only an operator may, where that is set. */
  readonly mayOperate: Effect.Effect<void, Unauthorized | Forbidden>
}>() {}

const digest = (text: string) => createHash("sha256").update(text).digest()

/** The token of `Authorization: Bearer …`. Of another scheme, such as Basic, there is none. */
const bearerOf = (header: string | undefined): string => /^bearer +(\S+) *$/i.exec(header ?? "")?.[1] ?? ""

/** Whether a token is the right one; undefined if none is set. */
const tokenTest = (token: Redacted.Redacted): ((given: string) => boolean) | undefined => {
  if (Redacted.value(token) === "") return undefined
  const expected = digest(Redacted.value(token))
  // Digests are compared, so that the time it takes shows neither where a guess first differs nor how long it is.
  return (given) => timingSafeEqual(digest(given), expected)
}

const allowed = Effect.void

const expected = (settings: string) =>
  new Unauthorized({ error: `Expected the header Authorization: Bearer, with the token of ${settings}` })

/**
 * Tells by the tokens who may ask at all, and who of these is an operator. `needed` is what others are told to send.
 */
const callerOf = ({ apiToken, operatorToken }: ServerConfig, needed: string) => {
  const isApi = tokenTest(apiToken)
  const isOperator = tokenTest(operatorToken)
  const operator: Caller["Type"] = { who: "an operator", isKnown: true, mayOperate: allowed }
  const client: Caller["Type"] = {
    who: "a client with ORCH_API_TOKEN",
    isKnown: true,
    mayOperate: isOperator === undefined ? allowed : new Forbidden({
      error: "This needs the token of ORCH_OPERATOR_TOKEN. That of ORCH_API_TOKEN, which agents have, is not enough"
    })
  }
  const anybody: Caller["Type"] = {
    who: "a client",
    isKnown: false,
    mayOperate: isOperator === undefined ? allowed : expected("ORCH_OPERATOR_TOKEN")
  }
  const unknown = expected(isOperator === undefined ? "ORCH_API_TOKEN" : needed)
  return Effect.flatMap(
    HttpServerRequest.HttpServerRequest,
    ({ headers }): Effect.Effect<Caller["Type"], Unauthorized> => {
      const given = bearerOf(headers["authorization"])
      if (isOperator?.(given) === true) return Effect.succeed(operator)
      if (isApi === undefined) return Effect.succeed(anybody)
      return isApi(given) ? Effect.succeed(client) : unknown
    }
  )
}

const bearer = (description: string) =>
  HttpApiSecurity.bearer.pipe(HttpApiSecurity.annotate(OpenApi.Description, description))

/** Asks for the bearer token of `ORCH_API_TOKEN`, if one is set. That of `ORCH_OPERATOR_TOKEN` will do as well. */
export class Authorization extends HttpApiMiddleware.Tag<Authorization>()("plane-sync/Authorization", {
  failure: unauthorized,
  provides: Caller,
  security: { bearer: bearer("The token of ORCH_API_TOKEN or of ORCH_OPERATOR_TOKEN, if ORCH_API_TOKEN is set.") }
}) {
  static readonly layer = Layer.effect(
    Authorization,
    Effect.map(ServerConfig, (config) => {
      const caller = callerOf(config, "ORCH_API_TOKEN or ORCH_OPERATOR_TOKEN")
      return Authorization.of({ bearer: () => caller })
    })
  )
}

/**
 * Asks for the bearer token of `ORCH_OPERATOR_TOKEN`, if one is set; otherwise like `Authorization`. It is for what
 * decides over a task or a dead letter in a person's place: agents have the other token.
 */
export class OperatorAuthorization extends HttpApiMiddleware.Tag<OperatorAuthorization>()(
  "plane-sync/OperatorAuthorization",
  {
    failure: HttpApiSchema.UnionUnify(unauthorized, forbidden),
    provides: Caller,
    security: {
      operator: bearer(
        "The token of ORCH_OPERATOR_TOKEN, if it is set. Otherwise that of ORCH_API_TOKEN, if that is set."
      )
    }
  }
) {
  static readonly layer = Layer.effect(
    OperatorAuthorization,
    Effect.map(ServerConfig, (config) => {
      const caller = Effect.tap(callerOf(config, "ORCH_OPERATOR_TOKEN"), ({ mayOperate }) => mayOperate)
      return OperatorAuthorization.of({ operator: () => caller })
    })
  )
}
