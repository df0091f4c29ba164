import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpServer from "@effect/platform/HttpServer"
import { ConfigProvider, Effect, Layer, Logger, LogLevel } from "effect"
import { EpochMillis } from "../../src/base/Time.js"
import { serveLayer } from "../../src/http/Serve.js"
import type { NewEvent } from "../../src/outbox/StoredEvent.js"
import { schemaLayer } from "../../src/Schema.js"
import { PlaneSimulator } from "../../src/simulator/PlaneSimulator.js"

/** A folder that is gone when the scope closes. */
export const folder = Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped()).pipe(
  Effect.orDie,
  Effect.provide(NodeFileSystem.layer)
)

/** A simulated Plane, for the test alone. */
export const withPlane = Effect.provide(PlaneSimulator.layer())

/** Starts the program within this process on a free port; its address. It stops when the scope closes. */
export const served = (settings: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function*() {
    const plane = yield* PlaneSimulator
    const config = ConfigProvider.fromMap(
      new Map(Object.entries({
        ORCH_PLANE_API_URL: plane.url,
        ORCH_PLANE_API_TOKEN: plane.token,
        ORCH_DATABASE_URL: `${yield* folder}/events.sqlite`,
        ORCH_PORT: "0",
        ...settings
      }))
    )
    const context = yield* Layer.build(
      serveLayer.pipe(
        Layer.provide(schemaLayer),
        Layer.provide(Layer.setConfigProvider(config)),
        Layer.provide(Logger.minimumLogLevel(LogLevel.None))
      )
    )
    return yield* HttpServer.addressFormattedWith(Effect.succeed).pipe(Effect.provide(context))
  })

/** An event that is a dead letter from the start: HTTP and the command line take none. */
export const unfit: NewEvent = {
  id: "unfit",
  workItem: "?",
  lane: undefined,
  body: "{}",
  stage: undefined,
  urgent: false,
  occurredAt: EpochMillis(0),
  publishedAt: EpochMillis(0),
  project: "",
  unfit: "no key"
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
}

/** The platform's own fetch: what a client of any language sends. */
export const request = (url: string, init: RequestInit = {}) =>
  Effect.promise(async (signal): Promise<Answer> => {
    const response = await fetch(url, { ...init, signal })
    const text = await response.text()
    const isJson = response.headers.get("content-type")?.startsWith("application/json") === true
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
  })

export const post = (url: string, body: string, headers: Readonly<Record<string, string>> = {}) =>
  request(`${url}/api/events`, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", ...headers }
  })

/** The fields that a 400 names. */
export const fieldsOf = ({ body }: Answer) => {
  const { issues } = body as { readonly issues: ReadonlyArray<{ readonly field: string }> }
  return issues.map(({ field }) => field)
}
