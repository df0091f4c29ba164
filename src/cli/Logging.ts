import type { ConfigError } from "effect"
import { Effect, FiberRef, Layer, Logger, LogLevel } from "effect"
import { LogConfig } from "../config/LogConfig.js"

const levels = {
  trace: LogLevel.Trace,
  debug: LogLevel.Debug,
  info: LogLevel.Info,
  warning: LogLevel.Warning,
  error: LogLevel.Error,
  fatal: LogLevel.Fatal,
  none: LogLevel.None
}

const loggers = {
  pretty: Logger.prettyLogger({ stderr: true, colors: process.stderr.isTTY }),
  json: Logger.withConsoleError(Logger.jsonLogger)
}

/**
 * Where logs go: always to standard error, so that standard output is a command's result. A level given on the command
 * line wins over the setting.
 */
export const loggingLayer: Layer.Layer<never, ConfigError.ConfigError> = Layer.unwrapEffect(
  Effect.gen(function*() {
    const { format, level } = yield* LogConfig
    const given = yield* FiberRef.get(FiberRef.currentMinimumLogLevel)
    return Layer.merge(
      Logger.replace(Logger.defaultLogger, loggers[format]),
      given === LogLevel.Info ? Logger.minimumLogLevel(levels[level]) : Layer.empty
    )
  })
)
