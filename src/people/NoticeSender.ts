import * as HttpClient from "@effect/platform/HttpClient"
import { Duration, Effect, Option, Redacted } from "effect"
import type { Scope } from "effect"
import { backoff } from "../base/Backoff.js"
import type { NoAnswer } from "../base/RestClient.js"
import { isOk, makeRestClient, within } from "../base/RestClient.js"
import { retryAfterOf } from "../base/RetryAfter.js"
import { textLimit, visibleLine } from "../base/Text.js"
import { epochMillis, later } from "../base/Time.js"
import { version } from "../base/Version.js"
import { startDueWork } from "../storage/DueWork.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import { WakeUps } from "../storage/WakeUps.js"
import type { NoticeConfig } from "./NoticeConfig.js"
import { noticeSettings } from "./NoticeConfig.js"
import { noticeRequest } from "./NoticeRequest.js"
import type { NoticeDocument, OwedNotice } from "./Notices.js"
import { firstOwed, noticeFailed, noticeOfBody, noticeTaken } from "./Notices.js"

const { name: setting } = noticeSettings.url.definition

/** For connecting, headers and body together. */
const deadline = Duration.seconds(10)

/** The most that is read of an answer, in bytes. */
const answerLimit = 64 * 1024

/** After so many failures a notice is not tried any more: with the pauses between, after about 1.5 hours. */
export const mostAttempts = 15

const longestPause = Duration.minutes(10)

/** Why a notice was not taken. */
interface NotTaken {
  readonly why: string
  readonly retryAfter?: Duration.Duration | undefined
}

const advice = (status: number) =>
  status >= 300 && status < 400
    ? `, a redirect, which is not followed: set ${setting} to the last address`
    : status < 500 && status !== 429
    ? `: check ${setting}`
    : ""

/**
 * Sends what is owed, one notice after the other in their order, until the scope closes. One that is not taken is tried
 * again after pauses that grow, and those after it wait; after 15 failures it is dead, and the next one has its turn.
 * Redirects are not followed.
 */
export const startNotices = (
  config: NoticeConfig
): Effect.Effect<void, never, HttpClient.HttpClient | Scope.Scope | Storage | WakeUps> =>
  Effect.gen(function*() {
    const { read, sql, trouble, write } = yield* Storage
    const wakeUps = yield* WakeUps
    const secret = Redacted.value(config.url)
    // A span of the client would show the address.
    const rest = makeRestClient(HttpClient.withTracerDisabledWhen(yield* HttpClient.HttpClient, () => true), {
      url: secret,
      setting,
      header: ["user-agent", `plane-sync/${version}`],
      secret,
      answerLimit
    })
    // Some repeat the path that they were asked for, which may be the secret.
    const { hash, pathname, search } = new URL(secret)
    const parts = [pathname, `${pathname}${search}${hash}`, search].filter((part) => part.length > 1)
    const shown = (text: string) =>
      visibleLine(
        parts.reduce((rest, part) => rest.replaceAll(part, "<redacted>"), rest.withoutSecret(text)),
        textLimit
      )

    const inWords = ({ headline, words }: NoAnswer) => shown(headline ?? words)

    const send = (document: NoticeDocument): Effect.Effect<void, NotTaken> =>
      Effect.gen(function*() {
        const answer = yield* within(deadline)(rest.fetch(noticeRequest(config, document))).pipe(
          // It has said yes, and only its answer was too long.
          Effect.catchIf(
            ({ status }) => status !== undefined && isOk({ status, headers: {}, body: "" }),
            () => Effect.succeed(undefined)
          ),
          Effect.mapError((error): NotTaken => ({ why: inWords(error) }))
        )
        if (answer === undefined || isOk(answer)) return
        const said = answer.body === "" ? "" : ` (${shown(answer.body)})`
        return yield* Effect.fail({
          why: `${config.host} answered ${answer.status}${advice(answer.status)}${said}`,
          retryAfter: Option.getOrUndefined(retryAfterOf(answer.headers["retry-after"], yield* epochMillis))
        })
      })

    const failed = (notice: OwedNotice, { retryAfter, why }: NotTaken): Effect.Effect<void, StorageError> =>
      Effect.gen(function*() {
        const now = yield* epochMillis
        const attempts = notice.attempts + 1
        const isDead = attempts >= mostAttempts
        const pause = Duration.min(yield* backoff(attempts, { max: longestPause, retryAfter }), longestPause)
        yield* trouble.retry(
          write(noticeFailed(sql, notice.id, { reason: why, dueAt: isDead ? undefined : later(now, pause) }, now))
        )
        if (isDead) yield* Effect.logError(`A notice was not taken ${attempts} times, and is not sent any more: ${why}`)
        else if (attempts === 1) yield* Effect.logWarning(`A notice was not taken, and is sent again: ${why}`)
      })

    const perform = (notice: OwedNotice): Effect.Effect<void, StorageError> =>
      Effect.gen(function*() {
        const document = noticeOfBody(notice.body)
        if (Option.isNone(document)) {
          const now = yield* epochMillis
          const reason = "what was stored of it cannot be read by this version"
          return yield* write(noticeFailed(sql, notice.id, { reason, dueAt: undefined }, now))
        }
        yield* Effect.matchEffect(send(document.value), {
          onFailure: (not) => failed(notice, not),
          onSuccess: () => Effect.flatMap(epochMillis, (now) => trouble.retry(write(noticeTaken(sql, notice.id, now))))
        })
      })

    yield* startDueWork({
      // In their order.
      concurrency: 1,
      maxAhead: longestPause,
      trouble,
      wakeUps,
      read: () => Effect.map(read(firstOwed(sql)), (first) => first === undefined ? [] : [first]),
      perform
    })
  })
