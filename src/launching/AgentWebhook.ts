import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { Duration, Effect, Layer, Option, Redacted } from "effect"
import { createHmac } from "node:crypto"
import type { NoAnswer } from "../base/RestClient.js"
import { isOk, makeRestClient, within } from "../base/RestClient.js"
import { retryAfterOf } from "../base/RetryAfter.js"
import { textLimit, visibleLine } from "../base/Text.js"
import { epochMillis } from "../base/Time.js"
import { version } from "../base/Version.js"
import { Projects } from "../domain/Projects.js"
import type { Launch } from "../tasks/AgentLauncher.js"
import { AgentLauncher } from "../tasks/AgentLauncher.js"
import { LaunchFailed } from "../tasks/LaunchFailed.js"
import { agentSettings } from "./AgentConfig.js"
import type { Action } from "./LaunchDocument.js"
import { documentOf } from "./LaunchDocument.js"

const { name: setting } = agentSettings.webhook.definition

/** For connecting, headers and body together. */
const deadline = Duration.seconds(10)

/** The most that is read of an answer, in bytes. */
const answerLimit = 64 * 1024

/** What a receiver's refusal means for the person who reads the log. */
const advice = (status: number): string => {
  if (status >= 300 && status < 400) return `, a redirect, which is not followed: set ${setting} to the last address`
  if (status === 401 || status === 403) return `: check that the receiver has the secret of ${setting}_SECRET`
  if (status === 404 || status === 410) return `: check ${setting}`
  return ""
}

/** Whether the receiver has taken it all the same: it said so, and its answer was only too long. */
const isTaken = ({ status }: NoAnswer) => status !== undefined && isOk({ status, headers: {}, body: "" })

/**
 * Launches and stops agents by signed POST requests, which are repeated by those who call until one is answered with
 * 2xx. Redirects are not followed. Needs a client that does not follow them, such as `connections`.
 */
export const webhookLayer = (
  { secret, url }: { readonly url: string; readonly secret: Redacted.Redacted }
): Layer.Layer<AgentLauncher, never, HttpClient.HttpClient | Projects> =>
  Layer.effect(
    AgentLauncher,
    Effect.gen(function*() {
      const key = Redacted.value(secret)
      const projects = yield* Projects
      const rest = makeRestClient(yield* HttpClient.HttpClient, {
        url,
        setting,
        header: ["user-agent", `plane-sync/${version}`],
        secret: key,
        answerLimit
      })
      const shown = (text: string) => visibleLine(rest.withoutSecret(text), textLimit)

      const inWords = ({ headline, status, why, words }: NoAnswer) =>
        headline ?? (why === "TooLarge" && status !== undefined
          ? `${setting} answered ${status}, and more than ${answerLimit / 1024} KiB`
          : `${setting}: ${shown(words)}`)

      const send = (action: Action) => (launch: Launch) =>
        Effect.gen(function*() {
          const body = documentOf(projects, action, launch)
          const request = HttpClientRequest.post("").pipe(
            HttpClientRequest.bodyText(body, "application/json"),
            HttpClientRequest.setHeaders({
              "x-plane-sync-event": action,
              "x-plane-sync-delivery": launch.entry,
              "x-plane-sync-signature": createHmac("sha256", key).update(body).digest("hex")
            })
          )
          const answer = yield* within(deadline)(rest.fetch(request)).pipe(
            Effect.catchIf(isTaken, () => Effect.succeed(undefined)),
            Effect.mapError((error) => new LaunchFailed({ message: inWords(error) }))
          )
          if (answer === undefined || isOk(answer)) return
          const said = answer.body === "" ? "" : ` (${shown(answer.body)})`
          return yield* new LaunchFailed({
            message: `${setting} answered ${answer.status}${advice(answer.status)}${said}`,
            retryAfter: Option.getOrUndefined(retryAfterOf(answer.headers["retry-after"], yield* epochMillis))
          })
        })

      return AgentLauncher.of({ launch: send("launch"), stop: send("stop") })
    })
  )
