import { Config, Effect, Layer } from "effect"
import { LogConfig } from "../config/LogConfig.js"
import { ServerConfig } from "../config/ServerConfig.js"
import { GiteaConfig } from "../gitea/GiteaConfig.js"
import { retention } from "../outbox/Prune.js"
import { PlaneConfig } from "../plane/PlaneConfig.js"
import { projectConfig } from "../plane/ProjectSettings.js"
import { databaseFile } from "../storage/Storage.js"
import { WebhookConfig } from "../webhooks/WebhookConfig.js"
import { loggingLayer } from "./Logging.js"

// Read together and before any layer reads its own, so that all that is wrong is said at once.
const settings = Config.all([
  PlaneConfig,
  projectConfig,
  ServerConfig,
  databaseFile,
  retention,
  WebhookConfig,
  GiteaConfig,
  LogConfig
])

/** Runs the program until SIGTERM or SIGINT. The server is loaded only now: no other command needs it. */
export const runServe = Effect.gen(function*() {
  yield* settings
  const { serveLayer } = yield* Effect.promise(() => import("../http/Serve.js"))
  return yield* Effect.provide(Layer.launch(serveLayer), loggingLayer)
})
