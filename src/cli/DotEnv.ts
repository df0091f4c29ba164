import type { PlatformError } from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as PlatformConfigProvider from "@effect/platform/PlatformConfigProvider"
import { Config, ConfigProvider, Effect, Either, Layer } from "effect"

/** Where it is looked for: in the working directory. */
export const dotEnvFile = ".env"

/** The settings of a file `.env` in the working directory, if there is one. Environment variables win over it. */
export const dotEnvLayer: Layer.Layer<never, PlatformError, FileSystem.FileSystem> = Layer.unwrapEffect(
  PlatformConfigProvider.fromDotEnv(dotEnvFile).pipe(
    Effect.map((file) => Layer.setConfigProvider(ConfigProvider.orElse(ConfigProvider.fromEnv(), () => file))),
    Effect.catchIf(
      (error) => error._tag === "SystemError" && error.reason === "NotFound",
      () => Effect.succeed(Layer.empty)
    )
  )
)

/** Whether a setting has its value from the file, and not from the environment. */
export const isOfDotEnv = (name: string): Effect.Effect<boolean, never, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    if (Either.isRight(yield* Effect.either(ConfigProvider.fromEnv().load(Config.string(name))))) return false
    const file = yield* Effect.option(PlatformConfigProvider.fromDotEnv(dotEnvFile))
    return Either.isRight(yield* Effect.either(Effect.flatMap(file, (provider) => provider.load(Config.string(name)))))
  })
