import * as ValidationError from "@effect/cli/ValidationError"
import { ConfigError } from "effect"
import type { AmbiguousName, PlaneError, UnknownProject, WorkItemNotFound } from "../plane/PlaneError.js"

/** What a command that asks Plane fails with. */
export type CommandFailure =
  | PlaneError
  | WorkItemNotFound
  | AmbiguousName
  | UnknownProject
  | ConfigError.ConfigError
  | ValidationError.ValidationError

/** How a command that failed ends: what is still to be said on stderr, and the exit code. */
export interface Ending {
  /** One or two lines; none where `@effect/cli` has said it. */
  readonly lines: ReadonlyArray<string>
  /** 1: Plane said no, or nothing. 2: the command or a setting was wrong. */
  readonly code: 1 | 2
}

/** How a command that failed so ends. */
export const ending = (failure: CommandFailure): Ending => {
  if (ValidationError.isValidationError(failure)) return { lines: [], code: 2 }
  if (ConfigError.isConfigError(failure)) return { lines: configLines(failure), code: 2 }
  if (failure._tag === "UnknownProject") return { lines: [failure.message], code: 2 }
  return {
    lines: failure._tag === "PlaneError" && failure.sent === "unknown" && failure.method !== "GET"
      ? [failure.message, "It is not known whether Plane has done it: look before you repeat it."]
      : [failure.message],
    code: 1
  }
}

const configLines = (error: ConfigError.ConfigError): ReadonlyArray<string> => {
  switch (error._op) {
    case "And":
    case "Or":
      return [...configLines(error.left), ...configLines(error.right)]
    default:
      return [`${error.path.join("_")}: ${error.message}`]
  }
}
