import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Api from "./Api.js"
import * as Faults from "./Faults.js"
import type { Answer, Request } from "./Http.js"
import * as Http from "./Http.js"
import * as Keyring from "./Keyring.js"
import * as Kills from "./Kills.js"
import * as Mails from "./Mails.js"
import { ClockMillis, clockMillis } from "./Moment.js"
import type { Settings } from "./Options.js"
import * as RateLog from "./RateLog.js"
import * as Router from "./Router.js"
import * as Store from "./Store.js"
import { traitsOf } from "./Version.js"
import * as Webhooks from "./Webhooks.js"

/** One request as the simulator received it. */
export interface RecordedRequest {
  /** 1 for the first received. */
  readonly sequence: number
  /** When it arrived. */
  readonly at: ClockMillis
  /** When it was answered. Null while unanswered, and for ever if no answer is ever given. */
  readonly answeredAt: ClockMillis | null
  readonly key: string | null
  readonly method: string
  readonly path: string
  readonly query: string
  readonly body: string
  /** The view that the path names; null for an unknown path or a missing slash. */
  readonly kind: Router.Kind | null
  /** Null while unanswered, and when no answer was given. */
  readonly status: number | null
  /** Whether it wrote something. */
  readonly applied: boolean
  /** The client closed the connection before it had the answer. */
  readonly clientGone: boolean
  /** The fault it met. */
  readonly fault: string | null
}

type Mutable<A> = { -readonly [K in keyof A]: A[K] }

/** What the front end is to do with the client. */
export type Outcome =
  | { readonly _tag: "Whole"; readonly answer: Answer }
  /** The headers at once, then one byte of the body every `everyMillis`. */
  | { readonly _tag: "Slow"; readonly answer: Answer; readonly everyMillis: number }
  /** The headers and half of the body that they promise, then the end of the connection. */
  | { readonly _tag: "Half"; readonly answer: Answer }
  /** Close the connection without an answer. */
  | { readonly _tag: "Drop" }
  | { readonly _tag: "Reset" }
  /** Never answer. */
  | { readonly _tag: "Silent" }

const whole = (answer: Answer): Outcome => ({ _tag: "Whole", answer })

export interface Core {
  readonly settings: Settings
  readonly store: Store.Store
  readonly keys: Keyring.Keyring
  readonly faults: Faults.Faults
  readonly webhooks: Webhooks.Webhooks
  readonly mails: Mails.Mails
  readonly kills: Kills.Kills
  /**
   * Takes a request to its end. Run it in a separate fiber, because like Plane it goes on when the client has left.
   * `gone` notes that the client has left, `answered` that it got the whole answer.
   */
  readonly handle: (request: Request) => {
    readonly outcome: Effect.Effect<Outcome>
    readonly gone: () => void
    readonly answered: () => void
  }
  readonly requests: Effect.Effect<ReadonlyArray<RecordedRequest>>
  readonly forgetRequests: Effect.Effect<void>
}

/** What a write is answered with when Plane cannot reach its queue. */
const unqueued = (answer: Answer, applied: boolean): Answer =>
  applied ? { ...Http.somethingWrong, headers: answer.headers } : answer

const withoutId = (answer: Answer): Answer => {
  const body: unknown = answer.body === "" ? null : JSON.parse(answer.body)
  if (typeof body !== "object" || body === null || Array.isArray(body)) return answer
  return { ...answer, body: JSON.stringify(Object.fromEntries(Object.entries(body).filter(([key]) => key !== "id"))) }
}

const statusAnswer = (fault: Extract<Faults.Fault, { readonly _tag: "Status" }>): Answer => {
  const type = fault.html === true ? "text/html; charset=utf-8" : "application/json"
  const page = `<html><head><title>${fault.status}</title></head><body><h1>${fault.status}</h1></body></html>`
  const body = fault.body ?? (fault.html === true ? page : JSON.stringify({ error: "Simulated failure" }))
  return { status: fault.status, headers: { "Content-Type": type, ...fault.headers }, body }
}

export const make = (settings: Settings): Effect.Effect<Core, never, Scope.Scope> =>
  Effect.gen(function*() {
    const store = Store.make(settings, yield* clockMillis)
    const traits = traitsOf(settings.plane)
    const keys = Keyring.make(traits)
    const faults = Faults.make(settings.seed, store)
    const webhooks = yield* Webhooks.make(settings, store.workspace)
    const clock = yield* Effect.clock
    const kills = Kills.make(() => ClockMillis(clock.unsafeCurrentTimeMillis()))
    const mails = Mails.make(settings)
    const limitOf = traits.sparesServices ? Keyring.limitOf : (_token: string, limit: number) => limit
    const rateLog = RateLog.make(settings.rateLimit, limitOf)
    const api: Api.Api = { store, keys, webhooks, mails, traits, rateLog }
    let records: Array<Mutable<RecordedRequest>> = []
    let sequence = 0

    const record = (request: Request, resolved: Router.Resolved): Mutable<RecordedRequest> => {
      const made: Mutable<RecordedRequest> = {
        sequence: ++sequence,
        at: ClockMillis(0),
        answeredAt: null,
        key: request.headers["x-api-key"] ?? null,
        method: request.method,
        path: request.path,
        query: request.query,
        body: request.body,
        kind: resolved._tag === "Found" ? resolved.route.kind : null,
        status: null,
        applied: false,
        clientGone: false,
        fault: null
      }
      records.push(made)
      // The array is cut in big steps, because removing one record from a long array costs as much as its length.
      if (records.length > settings.record * 2) records = records.slice(-settings.record)
      return made
    }

    const misbehaving = (
      fault: Faults.SingleFault,
      run: (delayMillis: number) => Effect.Effect<Answer>,
      hasApplied: () => boolean
    ): Effect.Effect<Outcome> => {
      const applied = run(settings.insertDelay)
      const around = (when: "before" | "after" | undefined, outcome: Outcome) =>
        when === "after" ? Effect.as(applied, outcome) : Effect.succeed(outcome)
      switch (fault._tag) {
        case "Down":
          return Effect.succeed({ _tag: "Drop" })
        case "Silent":
          return around(fault.when, { _tag: "Silent" })
        case "ByteByByte":
          return Effect.map(applied, (answer) => ({ _tag: "Slow", answer, everyMillis: fault.everyMillis }))
        case "Status":
          return around(fault.when, whole(statusAnswer(fault)))
        case "Reset":
          return fault.when === "midBody"
            ? Effect.map(applied, (answer) => ({ _tag: "Half", answer }))
            : around(fault.when, { _tag: "Reset" })
        case "Truncated":
          return Effect.map(applied, (answer) =>
            whole({ ...answer, body: answer.body.slice(0, Math.floor(answer.body.length / 2)) }))
        case "TooMany":
          return Effect.succeed(whole(Http.rateLimited(fault.retryAfter)))
        case "ApplyLate":
          return Effect.map(run(fault.afterMillis), whole)
        case "EmptyOk":
          return around(
            fault.when,
            whole({ status: 200, headers: { "Content-Type": "application/json" }, body: "" })
          )
        case "NoId":
          return Effect.map(applied, (answer) =>
            whole(withoutId(answer)))
        case "IgnoreState":
          return Effect.map(applied, whole)
        case "BrokerAway":
          return Effect.map(applied, (answer) => whole(unqueued(answer, hasApplied())))
      }
    }

    const handle: Core["handle"] = (request) => {
      const resolved = Router.resolve(request.path, traits)
      const entry = record(request, resolved)
      const route = resolved._tag === "Found" ? resolved.route : undefined
      const reached = (when: Kills.Kill["when"]) =>
        kills.reached(when, entry.sequence, (match) => Faults.matches(match, request, route, store))
      const outcome = Effect.gen(function*() {
        const now = yield* clockMillis
        entry.at = now
        reached("arrival")
        const fault = yield* faults.meet(request, route)
        // Plane answers a PATCH without a known field with 200 and the unchanged item.
        const heard = fault?._tag === "IgnoreState" && request.method === "PATCH" ? { ...request, body: "" } : request
        const run = (delayMillis: number) =>
          Effect.suspend(() =>
            Api.answer(api, heard, resolved, {
              delayMillis,
              isTold: fault?._tag !== "BrokerAway",
              savingMillis: settings.saving,
              onWrite: () => {
                entry.applied = heard === request
                if (!entry.clientGone) reached("applied")
              }
            }, now)
          )
        entry.fault = fault?._tag ?? null
        const made = fault === undefined
          ? whole(yield* run(settings.insertDelay))
          : yield* misbehaving(fault, run, () => entry.applied)
        if (settings.latency > 0) yield* Effect.sleep(settings.latency)
        if (made._tag !== "Drop" && made._tag !== "Reset" && made._tag !== "Silent") {
          entry.status = made.answer.status
          entry.answeredAt = yield* clockMillis
        }
        return made
      })
      return {
        outcome,
        gone: () => {
          entry.clientGone = true
        },
        answered: () => reached("answered")
      }
    }

    return {
      settings,
      store,
      keys,
      faults,
      webhooks,
      mails,
      kills,
      handle,
      requests: Effect.sync(() => records.slice(-settings.record).map((entry) => ({ ...entry }))),
      forgetRequests: Effect.sync(() => {
        records = []
      })
    }
  })
