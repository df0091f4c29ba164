import type { PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as PlatformConfigProvider from "@effect/platform/PlatformConfigProvider"
import { Config, ConfigProvider, Effect, Either, Layer } from "effect"
import { namesIn } from "../config/EnvText.js"

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

/** The names of all variables of the environment, and of those in the file. */
export const variableNames: Effect.Effect<ReadonlyArray<string>, never, FileSystem.FileSystem> = Effect.gen(
  function*() {
    const files = yield* FileSystem.FileSystem
    const text = yield* Effect.orElseSucceed(files.readFileString(dotEnvFile), () => "")
    return [...Object.keys(process.env), ...namesIn(text)]
  }
)
