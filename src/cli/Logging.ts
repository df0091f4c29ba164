import type { ConfigError } from "effect"
import { Config, ConfigError as Errors, Effect, Either, FiberRef, Layer, Logger, LogLevel } from "effect"

const levels = {
  trace: LogLevel.Trace,
  debug: LogLevel.Debug,
  info: LogLevel.Info,
  warning: LogLevel.Warning,
  error: LogLevel.Error,
  fatal: LogLevel.Fatal,
  none: LogLevel.None
}

const oneOf = <A>(name: string, fallback: A, allowed: Readonly<Record<string, A>>): Config.Config<A> =>
  Config.string(name).pipe(
    Config.withDefault(""),
    Config.mapOrFail((raw) => {
      const text = raw.trim().toLowerCase()
      if (text === "") return Either.right(fallback)
      const value = Object.hasOwn(allowed, text) ? allowed[text] : undefined
      return value === undefined
        ? Either.left(Errors.InvalidData(
          [name],
          `${JSON.stringify(raw.slice(0, 80))} is not right: expected one of ${Object.keys(allowed).join(", ")}`
        ))
        : Either.right(value)
    })
  )

const isTerminal = process.stderr.isTTY

const loggers = {
  pretty: Logger.prettyLogger({ stderr: true, colors: isTerminal }),
  json: Logger.withConsoleError(Logger.jsonLogger)
}

/** `ORCH_LOG_LEVEL` and `ORCH_LOG_FORMAT`. */
export const LogConfig = Config.all({
  level: oneOf<LogLevel.LogLevel>("ORCH_LOG_LEVEL", LogLevel.Info, levels),
  logger: oneOf<Logger.Logger<unknown, void>>("ORCH_LOG_FORMAT", isTerminal ? loggers.pretty : loggers.json, loggers)
})

/**
 * Writes logs to standard error, so that standard output holds only a command's result. A level on the command line wins
 * over `ORCH_LOG_LEVEL`.
 */
export const loggingLayer: Layer.Layer<never, ConfigError.ConfigError> = Layer.unwrapEffect(
  Effect.gen(function*() {
    const { level, logger } = yield* LogConfig
    const given = yield* FiberRef.get(FiberRef.currentMinimumLogLevel)
    return Layer.merge(
      Logger.replace(Logger.defaultLogger, logger),
      given === LogLevel.Info ? Logger.minimumLogLevel(level) : Layer.empty
    )
  })
)
