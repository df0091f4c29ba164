import type { PlatformError } from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as PlatformConfigProvider from "@effect/platform/PlatformConfigProvider"
import { ConfigProvider, Effect, Layer } from "effect"

/** The settings of a file `.env` in the working directory, if there is one. Environment variables win over it. */
export const dotEnvLayer: Layer.Layer<never, PlatformError, FileSystem.FileSystem> = Layer.unwrapEffect(
  PlatformConfigProvider.fromDotEnv(".env").pipe(
    Effect.map((file) => Layer.setConfigProvider(ConfigProvider.orElse(ConfigProvider.fromEnv(), () => file))),
    Effect.catchIf(
      (error) => error._tag === "SystemError" && error.reason === "NotFound",
      () => Effect.succeed(Layer.empty)
    )
  )
)
