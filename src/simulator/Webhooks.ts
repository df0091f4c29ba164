import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import { createHmac, randomUUID } from "node:crypto"
import type { JsonObject } from "./Http.js"
import * as Model from "./Model.js"
import type { ClockMillis } from "./Moment.js"
import { clockMillis } from "./Moment.js"
import type { Settings, WebhookOptions, WebhookRequest } from "./Options.js"
import * as PythonJson from "./PythonJson.js"
import { traitsOf } from "./Version.js"
import * as Views from "./Views.js"

/**
 * What the webhook is to say. `data` is called when it is first sent, because Plane shows the item as of that moment,
 * not of the change.
 */
export interface Announcement {
  readonly event: "issue" | "issue_comment" | "project"
  readonly action: "created" | "updated"
  readonly data: () => JsonObject
  readonly field: string | null
  readonly newValue: unknown
  readonly oldValue: unknown
  readonly actor: Model.User
  /** The work item that it is about, whose subscribers may get mail. Absent for a comment or a project. */
  readonly item?: Model.WorkItem
}

export interface Changed {
  readonly field: string
  readonly newValue: unknown
  readonly oldValue: unknown
}

/** One entry per sent key that the object has and that differs. */
export const changes = (before: JsonObject, sent: JsonObject): ReadonlyArray<Changed> =>
  Object.entries(sent)
    .filter(([field, value]) => field in before && JSON.stringify(before[field]) !== JSON.stringify(value))
    .map(([field, newValue]) => ({ field, newValue, oldValue: before[field] }))

const activityOf = (changed: Changed | undefined) => ({
  action: changed === undefined ? "created" as const : "updated" as const,
  field: changed?.field ?? null,
  newValue: changed?.newValue ?? null,
  oldValue: changed?.oldValue ?? null
})

export const itemChanged = (
  item: Model.WorkItem,
  workspace: Views.Workspace,
  changed: Changed | undefined,
  actor: Model.User
): Announcement => ({
  event: "issue",
  data: () => Views.webhookItem(item, workspace),
  actor,
  item,
  ...activityOf(changed)
})

export const commentChanged = (
  comment: Model.Comment,
  workspace: Views.Workspace,
  changed: Changed | undefined,
  actor: Model.User
): Announcement => ({
  event: "issue_comment",
  data: () => Views.comment(comment, workspace),
  actor,
  ...activityOf(changed)
})

export const projectChanged = (
  project: Model.Project,
  workspace: Views.Workspace,
  changed: Changed,
  actor: Model.User
): Announcement => ({
  event: "project",
  data: () => Views.webhookProject(project, workspace.id, Model.owner),
  actor,
  ...activityOf(changed)
})

/** A webhook that was sent, and how that ended. Each attempt is one. */
export interface SentHook {
  /** When it was sent. */
  readonly at: ClockMillis
  readonly event: string
  readonly action: string
  readonly field: string | null
  /** 1 for the first. Only connection errors and time-outs are tried again. */
  readonly attempt: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Any status counts as delivered. `status` is null if there was none. */
  readonly status: number | null
  readonly error: string | null
}

export interface Webhooks {
  /** Sends to this receiver from now on, instead of the one before. */
  readonly register: (options: WebhookOptions) => Effect.Effect<void>
  readonly announce: (what: Announcement) => Effect.Effect<void>
  /** The last ones that were sent. */
  readonly hooks: Effect.Effect<ReadonlyArray<SentHook>>
}

const retries = 5
const webhookId = "b6f0a2de-7c11-4f3a-9a57-0d2c8e4f6a21"

const sendByHttp = (client: HttpClient.HttpClient) => (request: WebhookRequest): Effect.Effect<number, unknown> =>
  HttpClientRequest.post(request.url).pipe(
    HttpClientRequest.setHeaders(request.headers),
    HttpClientRequest.bodyText(request.body, "application/json"),
    client.execute,
    Effect.flatMap((response) => Effect.as(Effect.ignore(response.text), response.status))
  )

/** A redirect that is not followed is an answer like any other: it counts as delivered. */
const httpSender = (redirect: "follow" | "manual") =>
  Effect.map(HttpClient.HttpClient, sendByHttp).pipe(
    Effect.provide(FetchHttpClient.layer),
    Effect.map((send) => (request: WebhookRequest) =>
      Effect.provideService(send(request), FetchHttpClient.RequestInit, { redirect })
    )
  )

const signed = (options: WebhookOptions, what: Announcement, body: string): WebhookRequest => ({
  url: options.url,
  headers: {
    "User-Agent": "Autopilot",
    "Content-Type": "application/json",
    "X-Plane-Delivery": randomUUID(),
    "X-Plane-Event": what.event,
    "X-Plane-Signature": createHmac("sha256", options.secret).update(body).digest("hex")
  },
  body
})

/**
 * Sends in the background of the scope, each announcement by itself, because Plane does not promise their order either.
 */
export const make = (settings: Settings, workspace: Views.Workspace): Effect.Effect<Webhooks, never, Scope.Scope> =>
  Effect.gen(function*() {
    const traits = traitsOf(settings.plane)
    const byHttp = yield* httpSender(traits.followsRedirects ? "follow" : "manual")
    const random = Random.make(settings.seed)
    let registered = settings.webhook
    const hooks: Array<SentHook> = []
    const fibers = yield* FiberSet.make()
    let active = true

    const bodyOf = (what: Announcement): string =>
      PythonJson.stringify({
        event: what.event,
        action: what.action,
        webhook_id: webhookId,
        workspace_id: workspace.id,
        ...(traits.namesWorkspace ? { workspace_slug: workspace.slug } : {}),
        data: what.data(),
        activity: {
          field: what.field,
          new_value: what.newValue,
          old_value: what.oldValue,
          actor: Views.user(what.actor),
          old_identifier: null,
          new_identifier: null
        }
      })

    const waitOf = ({ retryAfter, retryWithin = "600 seconds" }: WebhookOptions): Effect.Effect<number> =>
      retryAfter === undefined
        ? Effect.map(random.next, (part) => Math.floor(part * Duration.toMillis(retryWithin)))
        : Effect.succeed(Duration.toMillis(retryAfter))

    // A retry repeats the body of the first attempt, however old that has become. Only the delivery's id is new.
    const attempt = (
      options: WebhookOptions,
      what: Announcement,
      body: string,
      count: number
    ): Effect.Effect<void> =>
      Effect.gen(function*() {
        // Another has been registered since, or this one was switched off.
        if (!active || options !== registered) return
        const { send = byHttp } = options
        const request = signed(options, what, body)
        const at = yield* clockMillis
        const outcome = yield* send(request).pipe(
          Effect.timeoutFail({ duration: "30 seconds", onTimeout: () => "no answer within 30 s" }),
          Effect.match({
            onSuccess: (status) => ({ status, error: null }),
            onFailure: (error) => ({ status: null, error: String(error) })
          })
        )
        hooks.push({
          at,
          event: what.event,
          action: what.action,
          field: what.field,
          attempt: count,
          headers: request.headers,
          body,
          ...outcome
        })
        if (hooks.length > settings.record) hooks.shift()
        if (outcome.error === null) return
        if (count > retries) {
          // Plane switches the whole webhook off, for every later event too.
          active = false
          return
        }
        yield* Effect.sleep(yield* waitOf(options))
        yield* attempt(options, what, body, count + 1)
      })

    const first = (options: WebhookOptions, what: Announcement): Effect.Effect<void> =>
      (options.delay === undefined ? Effect.void : Effect.sleep(options.delay)).pipe(
        Effect.zipRight(Effect.suspend(() => attempt(options, what, bodyOf(what), 1)))
      )

    return {
      register: (options) =>
        Effect.sync(() => {
          registered = options
          active = true
        }),
      announce: (what) =>
        Effect.suspend(() =>
          registered === undefined ? Effect.void : Effect.asVoid(FiberSet.run(fibers, first(registered, what)))
        ),
      hooks: Effect.sync(() => [...hooks])
    }
  })
