import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import type { Cause, ParseResult } from "effect"
import { Effect } from "effect"
import { HealthReport } from "./HealthReport.js"

/** What a running program at this address says of its health, within a second. */
export const askHealth = (url: string): Effect.Effect<
  HealthReport,
  Cause.TimeoutException | HttpClientError.HttpClientError | ParseResult.ParseError,
  HttpClient.HttpClient
> =>
  HttpClient.get(`${url}/health`).pipe(
    Effect.flatMap(HttpClientResponse.schemaBodyJson(HealthReport)),
    Effect.timeout("1 second")
  )
