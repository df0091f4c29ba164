import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Effect, Layer } from "effect"
import { createServer } from "node:http"
import { checkSignature } from "../src/webhooks/Signature.js"

const [port = "", secret = ""] = process.argv.slice(2)

// The cost of a hook of which nothing is kept: the body, its signature, an answer.
const app = Effect.gen(function*() {
  const request = yield* HttpServerRequest.HttpServerRequest
  const body = new Uint8Array(yield* request.arrayBuffer)
  const { signedWith, update } = checkSignature([secret])
  update(body)
  const isSigned = signedWith(request.headers["x-gitea-signature"] ?? "") !== undefined
  return HttpServerResponse.empty({ status: isSigned ? 202 : 401 })
})

HttpServer.serve(app).pipe(
  Layer.provide(NodeHttpServer.layer(createServer, { host: "127.0.0.1", port: Number(port) })),
  Layer.launch,
  NodeRuntime.runMain
)
