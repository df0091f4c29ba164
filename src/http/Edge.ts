import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import { HttpApiDecodeError } from "@effect/platform/HttpApiError"
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerError from "@effect/platform/HttpServerError"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Cause, Effect, Option } from "effect"
import { describeIssues, issuesOf } from "../base/Issue.js"
import { ServerConfig } from "../config/ServerConfig.js"
import { Api } from "./Api.js"
import { guardPath, isWebhook } from "./Guard.js"
import { pagePaths } from "./PageRoutes.js"
import type { Problem } from "./Problem.js"
import { webhookPaths } from "./WebhookPaths.js"

const problem = (status: number, body: Problem, headers: Readonly<Record<string, string>> = {}) =>
  HttpServerResponse.unsafeJson(body, { status, headers })

interface Route {
  readonly path: RegExp
  readonly method: string
}

const route = (method: string, path: string): Route => ({
  path: new RegExp(`^${path.replace(/:[^/]+/g, "[^/]+")}$`),
  method
})

// The router does not say whether a path is wrong, or only the method: these do.
const routes: Array<Route> = [
  route("GET", "/openapi.json"),
  route("GET", "/docs"),
  ...pagePaths.map((path) => route("GET", path)),
  ...Object.values(webhookPaths).map((path) => route("POST", path))
]
HttpApi.reflect(Api, {
  onGroup: () => undefined,
  onEndpoint: ({ endpoint }) => {
    routes.push(route(endpoint.method, endpoint.path))
  }
})

const isEncoded = (path: string) => Option.isSome(Option.liftThrowable(decodeURIComponent)(path))

const noRoute = ({ method, url }: HttpServerRequest.HttpServerRequest) => {
  const path = url.replace(/[?#].*$/, "")
  const given = path.slice(0, 200)
  const wrong = (message: string) =>
    problem(400, { error: `The path ${given}: ${message}`, issues: [{ field: "path", message, given }] })
  // The router finds nothing for a path that it cannot decode.
  if (!isEncoded(path)) return wrong("it is not percent-encoded UTF-8")
  const allowed = routes.filter((route) => route.path.test(path)).map((route) => route.method)
  // Nor for one with a parameter of more than 100 characters.
  if (allowed.includes(method)) return wrong("a part of it is longer than any key or id")
  return allowed.length === 0
    ? problem(404, { error: `There is nothing at ${given}: see /docs` })
    : problem(405, { error: `${method} is not for ${given}: expected ${allowed.join(" or ")}` }, {
      allow: allowed.join(", ")
    })
}

const badRequest = (error: HttpApiDecodeError) => {
  const issues = issuesOf(error.issues)
  return problem(400, { error: describeIssues(issues), issues })
}

// Of these Node takes the first and drops the others. A proxy in front may have looked at another one.
const single = ["host", "authorization", "content-type"]

const givenTwice = (request: HttpServerRequest.HttpServerRequest) => {
  const { headersDistinct } = NodeHttpServerRequest.toIncomingMessage(request)
  return single.find((name) => (headersDistinct[name]?.length ?? 0) > 1)
}

// The type of an app shows no errors; those of its routes are in the cause.
const answerOf = <E>(
  request: HttpServerRequest.HttpServerRequest,
  cause: Cause.Cause<E>
): Effect.Effect<HttpServerResponse.HttpServerResponse, E> => {
  const error = Cause.squash(cause)
  if (error instanceof HttpServerError.RouteNotFound) return Effect.succeed(noRoute(request))
  if (error instanceof HttpApiDecodeError) return Effect.succeed(badRequest(error))
  return Cause.isDie(cause)
    ? Effect.as(
      Effect.logError(`${request.method} ${request.url}: a bug`, cause),
      problem(500, { error: "A bug in plane-sync: its log says more" })
    )
    : Effect.failCause(cause)
}

const withHeaders = HttpApp.appendPreResponseHandler((request, response) =>
  Effect.succeed(
    // A 401 to a webhook is about its signature, not about a token.
    response.status === 401 && !isWebhook(request.url)
      ? HttpServerResponse.setHeader(response, "www-authenticate", "Bearer")
      : response.status === 503
      ? HttpServerResponse.setHeader(response, "retry-after", "1")
      : response
  )
)

/**
 * Applies to every request: it refuses those of foreign web pages and ambiguous ones, and answers in JSON where the API
 * itself has no answer.
 */
export const edgeLayer = HttpApiBuilder.middleware(
  Effect.map(ServerConfig, (config) => {
    const foreign = guardPath(config)
    return (app: HttpApp.Default) =>
      Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
        const twice = givenTwice(request)
        if (twice !== undefined) return Effect.succeed(problem(400, { error: `More than one header ${twice}` }))
        const why = foreign(request.url, request.headers)
        return why === undefined
          ? Effect.zipRight(withHeaders, Effect.catchAllCause(app, (cause) => answerOf(request, cause)))
          : Effect.succeed(problem(403, { error: why }))
      })
  })
)
