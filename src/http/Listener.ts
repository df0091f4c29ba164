import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpServer from "@effect/platform/HttpServer"
import type { ConfigError, Scope } from "effect"
import { Context, Effect, Layer, Schedule, Schema } from "effect"
import * as Http from "node:http"
import { hasCode } from "../base/ErrorCode.js"
import { authorityOf, ServerConfig } from "../config/ServerConfig.js"
import { answerBare } from "./BareAnswers.js"
import { cutTinyChunks } from "./TinyChunks.js"

/** The program cannot listen on its address. */
export class ListenError extends Schema.TaggedError<ListenError>()("ListenError", {
  host: Schema.String,
  port: Schema.Number,
  code: Schema.String,
  cause: Schema.Defect
}) {
  override get message(): string {
    const address = authorityOf(this)
    switch (this.code) {
      case "EADDRINUSE":
        return `${address} is in use: is plane-sync running already? Stop what listens there, or set ORCH_PORT`
      case "EACCES":
        return `${address} may not be listened on by this user: set ORCH_PORT to 1024 or more`
      case "EADDRNOTAVAIL":
      case "ENOTFOUND":
        return `${address} is not an address of this machine: set ORCH_HOST`
      default:
        return `${address} cannot be listened on: ${this.code}`
    }
  }
}

/**
 * The server, bound to its address but without an application. A second program on the same address so stops before it
 * does anything else, and the first request finds an application that is ready.
 */
export class Listener extends Context.Tag("plane-sync/Listener")<Listener, {
  readonly server: Http.Server
  /** Accepts no more connections, and gives requests in flight one second to end. */
  readonly drain: Effect.Effect<void>
}>() {
  /** On `ORCH_HOST` and `ORCH_PORT`. */
  static readonly layer: Layer.Layer<
    Listener | HttpServer.HttpServer,
    ConfigError.ConfigError | ListenError
  > = Layer.scopedContext(Effect.suspend(() => make))
}

/** How long requests in flight may take to end when the program is shut down. */
const drainTime = "1 second"

/**
 * Connections that may wait for being accepted, as far as the system lets so many. By default 511 may, and whoever
 * comes after a thousand others at once would try again after seconds.
 */
const backlog = 4_096

const make: Effect.Effect<
  Context.Context<Listener | HttpServer.HttpServer>,
  ConfigError.ConfigError | ListenError,
  Scope.Scope
> = Effect.gen(function*() {
  const { host, port } = yield* ServerConfig
  const server = Http.createServer({
    // A client that sends slowly may not hold a connection for longer than this.
    headersTimeout: 10_000,
    requestTimeout: 30_000,
    connectionsCheckingInterval: 5_000
  })
  cutTinyChunks(server)
  answerBare(server)
  // The platform listens for upgrades. Then Node hands over the bare socket of a request that asks for one, without a
  // body and without any limit of time. Nothing here speaks another protocol, and a request that only offers one, as
  // curl's and Java's do, is answered like any other when nobody listens.
  server.on("newListener", (name) => {
    if (name === "upgrade") queueMicrotask(() => server.removeAllListeners("upgrade"))
  })

  const http = yield* NodeHttpServer.make(() => server, { host, port, backlog }).pipe(
    Effect.mapError(({ cause }) => new ListenError({ host, port, code: hasCode(cause) ? cause.code : "?", cause }))
  )

  const closed = Effect.async<void>((resume) => {
    server.close(() => resume(Effect.void))
  })
  // A connection that is kept alive becomes idle once its answer is written.
  const closeIdle = Effect.repeat(Effect.sync(() => server.closeIdleConnections()), Schedule.spaced("20 millis"))
  const drain = Effect.raceFirst(closed, closeIdle).pipe(
    Effect.interruptible,
    Effect.timeoutOption(drainTime),
    Effect.zipRight(Effect.sync(() => server.closeAllConnections()))
  )

  return Context.make(Listener, { server, drain }).pipe(Context.add(HttpServer.HttpServer, http))
})
