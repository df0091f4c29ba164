import * as Cookies from "@effect/platform/Cookies"
import * as Headers from "@effect/platform/Headers"
import * as HttpClient from "@effect/platform/HttpClient"
import { RequestError, ResponseError } from "@effect/platform/HttpClientError"
import type { HttpClientRequest } from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as UrlParams from "@effect/platform/UrlParams"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Core, Outcome } from "./Core.js"
import type { Answer, Request } from "./Http.js"

type Pace = { readonly _tag: "Whole" } | { readonly _tag: "Slow"; readonly everyMillis: number } | {
  readonly _tag: "Half"
}

/**
 * An answer that is read without promises, so that under a TestClock a body that comes byte by byte takes exactly its
 * time. `fromWeb` does not do: reading a web Response waits outside of the fiber, where no test clock reaches.
 */
class MemoryResponse extends Inspectable.Class implements HttpClientResponse.HttpClientResponse {
  readonly [HttpIncomingMessage.TypeId]: HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly [HttpClientResponse.TypeId]: HttpClientResponse.TypeId = HttpClientResponse.TypeId
  readonly status: number
  readonly headers: Headers.Headers
  readonly cookies = Cookies.empty
  readonly remoteAddress = Option.none<string>()
  private readonly bytes: Uint8Array

  constructor(readonly request: HttpClientRequest, private readonly answer: Answer, private readonly pace: Pace) {
    super()
    this.bytes = new TextEncoder().encode(answer.body)
    this.status = answer.status
    this.headers = Headers.fromInput({ ...answer.headers, "Content-Length": String(this.bytes.length) })
  }

  toJSON(): unknown {
    return {
      _id: "@effect/platform/HttpClientResponse",
      request: this.request.toJSON(),
      status: this.status,
      headers: Inspectable.redact(this.headers)
    }
  }

  private failed(cause: unknown): ResponseError {
    return new ResponseError({ request: this.request, response: this, reason: "Decode", cause })
  }

  get text(): Effect.Effect<string, ResponseError> {
    switch (this.pace._tag) {
      case "Whole":
        return Effect.succeed(this.answer.body)
      case "Slow":
        return Effect.as(Effect.sleep(this.pace.everyMillis * this.bytes.length), this.answer.body)
      case "Half":
        return Effect.fail(this.failed(new Error("the connection was reset amid the body")))
    }
  }

  get json(): Effect.Effect<unknown, ResponseError> {
    return Effect.tryMap(this.text, {
      try: (text): unknown => text === "" ? null : JSON.parse(text),
      catch: (cause) => this.failed(cause)
    })
  }

  get arrayBuffer(): Effect.Effect<ArrayBuffer, ResponseError> {
    return Effect.map(this.text, () => Uint8Array.from(this.bytes).buffer)
  }

  get urlParamsBody(): Effect.Effect<UrlParams.UrlParams, ResponseError> {
    return Effect.map(this.text, (text) => UrlParams.fromInput(new URLSearchParams(text)))
  }

  get formData(): Effect.Effect<FormData, ResponseError> {
    return Effect.fail(this.failed(new Error("Plane answers no forms")))
  }

  get stream(): Stream.Stream<Uint8Array, ResponseError> {
    const { pace } = this
    switch (pace._tag) {
      case "Whole":
        return Stream.make(this.bytes)
      case "Slow":
        return Stream.fromIterable(this.bytes).pipe(
          Stream.mapEffect((byte) => Effect.as(Effect.sleep(pace.everyMillis), Uint8Array.of(byte)))
        )
      case "Half":
        return Stream.concat(
          Stream.make(this.bytes.subarray(0, Math.floor(this.bytes.length / 2))),
          Stream.fail(this.failed(new Error("the connection was reset amid the body")))
        )
    }
  }
}

const bodyOf = (request: HttpClientRequest): Effect.Effect<Uint8Array, RequestError> => {
  const { body } = request
  const refuse = (description: string) => Effect.fail(new RequestError({ request, reason: "Encode", description }))
  switch (body._tag) {
    case "Empty":
      return Effect.succeed(new Uint8Array())
    case "Uint8Array":
      return Effect.succeed(body.body)
    case "Raw":
      return typeof body.body === "string"
        ? Effect.succeed(new TextEncoder().encode(body.body))
        : refuse("the simulator in memory takes raw bodies as text only")
    case "Stream":
      return Stream.runCollect(body.stream).pipe(
        Effect.map((chunks) => Uint8Array.from(Chunk.toReadonlyArray(chunks).flatMap((chunk) => Array.from(chunk)))),
        Effect.mapError((cause) => new RequestError({ request, reason: "Encode", cause }))
      )
    case "FormData":
      return refuse("the simulator in memory takes no forms")
  }
}

const delivered = (
  request: HttpClientRequest,
  outcome: Outcome
): Effect.Effect<HttpClientResponse.HttpClientResponse, RequestError> => {
  const transport = (description: string) =>
    Effect.fail(new RequestError({ request, reason: "Transport", description }))
  switch (outcome._tag) {
    case "Whole":
    case "Half":
      return Effect.succeed(new MemoryResponse(request, outcome.answer, { _tag: outcome._tag }))
    case "Slow":
      return Effect.succeed(new MemoryResponse(request, outcome.answer, outcome))
    case "Drop":
      return transport("the connection was closed")
    case "Reset":
      return transport("the connection was reset")
    case "Silent":
      return Effect.never
  }
}

/**
 * A client that sends every request to the simulator, without sockets. Addresses other than `url` cannot be reached.
 * Each request runs in a fiber of the scope, with the caller's clock. It goes on when the caller is interrupted, as
 * Plane does when its client leaves.
 */
export const make = (core: Core, url: string): Effect.Effect<HttpClient.HttpClient, never, Scope.Scope> =>
  Effect.map(Effect.scope, (scope) =>
    HttpClient.make((request, target) =>
      Effect.gen(function*() {
        if (target.origin !== url) {
          return yield* new RequestError({ request, reason: "Transport", description: `no route to ${target.origin}` })
        }
        const bytes = yield* bodyOf(request)
        const received: Request = {
          method: request.method,
          path: target.pathname,
          query: target.search.slice(1),
          headers: request.headers,
          body: new TextDecoder().decode(bytes),
          size: bytes.length
        }
        const { gone, outcome } = core.handle(received)
        const fiber = yield* Effect.forkIn(outcome, scope)
        return yield* Fiber.join(fiber).pipe(
          Effect.flatMap((given) => delivered(request, given)),
          Effect.onInterrupt(() => Effect.sync(gone))
        )
      })
    ))
