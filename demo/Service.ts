import * as FileSystem from "@effect/platform/FileSystem"
import * as HttpServer from "@effect/platform/HttpServer"
import { ConfigProvider, Effect, Layer, Logger } from "effect"
import { Listener } from "../src/http/Listener.js"
import { serveLayer } from "../src/http/Serve.js"
import { schemaLayer } from "../src/Schema.js"
import { PlaneSimulator } from "../src/simulator/PlaneSimulator.js"
import { requiredCheck } from "./Gitea.js"
import { careToken, projectsFile } from "./Projects.js"

/**
 * Shorter than the defaults, because the demo's outage lasts four seconds. Everything else has its default, the rate
 * limit too.
 */
export const shortened = {
  ORCH_PLANE_QUIET: "2 seconds",
  ORCH_PLANE_MAX_BACKOFF: "1 second"
}

/** The program that is started for each agent. It does nothing: what agents do and report is in the story. */
const standIn = "true"

/** The secrets that the webhooks of Plane and of Gitea are signed with. */
export const secrets = { plane: "plane_wh_demo-of-plane-sync", gitea: "gitea-demo-of-plane-sync" }

/** The files of a directory. */
export const databaseIn = (directory: string) => `${directory}/plane-sync.sqlite`
const configIn = (directory: string) => `${directory}/plane-sync.json`

/** Makes a directory that is removed at the end, with the file of the projects. */
export const makeDirectory = Effect.gen(function*() {
  const files = yield* FileSystem.FileSystem
  const directory = yield* files.makeTempDirectoryScoped({ prefix: "plane-sync-demo-" })
  yield* files.writeFileString(configIn(directory), JSON.stringify(projectsFile))
  return directory
})

/**
 * The program as `plane-sync serve` runs it, on a free port, against the simulated Plane. Only these settings count,
 * and nothing of the environment.
 */
export const layer = (options: { readonly directory: string; readonly logger: Logger.Logger<unknown, void> }) =>
  // The same Listener that serves, because a layer is built only once.
  Layer.merge(serveLayer, Listener.layer).pipe(
    Layer.provide(schemaLayer),
    Layer.provide(Logger.replace(Logger.defaultLogger, options.logger)),
    Layer.provide(Layer.unwrapEffect(Effect.map(PlaneSimulator, ({ token, tokens, url }) =>
      Layer.setConfigProvider(ConfigProvider.fromMap(
        new Map(Object.entries({
          ORCH_PLANE_API_URL: url,
          ORCH_PLANE_API_TOKEN: token,
          [careToken]: tokens.service,
          ORCH_DATABASE_URL: databaseIn(options.directory),
          ORCH_CONFIG: configIn(options.directory),
          ORCH_PORT: "0",
          ORCH_PLANE_WEBHOOK_SECRET: secrets.plane,
          ORCH_GITEA_WEBHOOK_SECRET: secrets.gitea,
          ORCH_GITEA_REQUIRED_CHECKS: requiredCheck,
          ORCH_AGENT_COMMAND: standIn,
          ...shortened
        }))
      )))))
  )

/** The address that it listens on. */
export const address = HttpServer.addressFormattedWith(Effect.succeed)
