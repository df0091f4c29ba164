import * as HttpClient from "@effect/platform/HttpClient"
import { Effect, Schema } from "effect"
import { answerText } from "../base/AnswerText.js"
import type { PlaneConfig } from "./PlaneConfig.js"
import * as Wire from "./Wire.js"

/** The most that is read of the answer, in bytes. It has about 2,000. */
const limit = 64 * 1024

/**
 * The version of the installation, as it says itself. This endpoint is not a part of the API: it wants no API token, so
 * none is sent, and it does not count against the budget. Whatever goes wrong, the version is not known.
 */
export const makeVersion = (
  { timeout, url }: Pick<PlaneConfig, "timeout" | "url">
): Effect.Effect<Effect.Effect<string | undefined>, never, HttpClient.HttpClient> =>
  Effect.map(HttpClient.HttpClient, (http) =>
    HttpClient.filterStatusOk(http).get(`${url}/api/instances/`).pipe(
      Effect.flatMap((response) => answerText(response, limit)),
      Effect.timeout(timeout),
      Effect.flatMap(Schema.decodeUnknown(Wire.InstanceJson)),
      Effect.map(({ instance }) => instance.current_version),
      Effect.orElseSucceed(() => undefined),
      Effect.withSpan("PlaneClient.version")
    ))

/** Whether a version is this one or newer: "v1.3.1" is at least 1.3.0. One that is not known is not. */
export const isAtLeast = (version: string | undefined, least: readonly [number, number, number]): boolean => {
  const [, ...parts] = /^v?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?/.exec(version ?? "") ?? []
  if (parts.length === 0) return false
  for (const [index, wanted] of least.entries()) {
    const found = Number(parts[index] ?? 0)
    if (found !== wanted) return found > wanted
  }
  return true
}
