import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as SqlClient from "@effect/sql/SqlClient"
import { Config, Effect, Layer, Schema } from "effect"
import { createServer } from "node:http"

/** The comparator for starting: the smallest HttpApi with one SQLite connection. */

const Health = Schema.Struct({ status: Schema.Literal("ok") })

class Api extends HttpApi.make("bare").add(
  HttpApiGroup.make("health").add(HttpApiEndpoint.get("health", "/health").addSuccess(Health))
) {}

const handlers = HttpApiBuilder.group(
  Api,
  "health",
  (handlers) =>
    Effect.map(
      SqlClient.SqlClient,
      (sql) => handlers.handle("health", () => Effect.as(Effect.orDie(sql`SELECT 1`), { status: "ok" as const }))
    )
)

const server = Layer.unwrapEffect(
  Effect.map(Config.port("ORCH_PORT"), (port) => NodeHttpServer.layer(createServer, { port, host: "127.0.0.1" }))
)

const sqlite = Layer.unwrapEffect(
  Effect.map(Config.string("ORCH_DATABASE_URL"), (filename) => SqliteClient.layer({ filename }))
)

HttpApiBuilder.serve().pipe(
  Layer.provide(Layer.provide(HttpApiBuilder.api(Api), handlers)),
  Layer.provide(sqlite),
  Layer.provide(server),
  Layer.launch,
  NodeRuntime.runMain
)
