import { Config } from "effect"
import { defineSetting, oneOf, unset } from "../base/Setting.js"

/** The settings of the log. */
export const logSettings = {
  level: defineSetting({
    name: "ORCH_LOG_LEVEL",
    about: "The lowest level that is logged: trace, debug, info, warning, error, fatal or none.",
    accepts: oneOf(["trace", "debug", "info", "warning", "error", "fatal", "none"], { anyCase: true }),
    default: "info"
  }),
  format: defineSetting({
    name: "ORCH_LOG_FORMAT",
    about: "How log lines are written: pretty or json. By default pretty on a terminal, else json.",
    accepts: oneOf(["pretty", "json"], { anyCase: true }),
    default: unset<"pretty" | "json">(process.stderr.isTTY ? "pretty" : "json", "pretty on a terminal, else json")
  })
}

/** How much is logged, and how. */
export const LogConfig = Config.all(logSettings)
