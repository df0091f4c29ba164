import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import { Deferred, Duration, Effect, Fiber, Option, Random, Schema } from "effect"
import type { Expected, ExpectedLink } from "../../demo/Judge.js"
import type { Turn } from "../support/LivingJudge.js"

/** A work item that events are published about. */
export interface Target {
  /** The key as it is written in events. */
  readonly key: string
  readonly id: string
  /** The average pause between one event's 202 and the next event. */
  readonly pause: Duration.Duration
  /** Whether changes of stages are told by one comment, which is edited only every 30 s unless it ends or fails. */
  readonly living: boolean
}

interface Made {
  readonly body: Readonly<Record<string, string>>
  readonly line: string
  /** The state that the event asks for. */
  readonly state: string | undefined
}

/** What a work item must show when all is told. */
export interface ExpectedTrail extends Expected {
  /** What was published about it, as one comment that is edited tells it. */
  readonly turns: ReadonlyArray<Turn>
}

/** An event as it was published, with its links. */
interface Published extends Made {
  readonly links: ReadonlyArray<ExpectedLink>
}

/** How many events were accepted so far, and what that took. */
export interface Counts {
  readonly accepted: number
  /** How many were sent again because no answer came, or an answer other than 202. */
  readonly resent: number
  /** How many of those had been committed already: they were answered `duplicate`. */
  readonly duplicates: number
}

/** What became of the publishing in more detail. */
export interface Outcomes extends Counts {
  /** How many attempts had no answer: it is not known whether they committed. */
  readonly unanswered: number
  /** How many attempts were answered 503. */
  readonly refused: number
  /** How many events were accepted only after such an attempt. */
  readonly doubtful: number
}

const states: ReadonlyArray<readonly [stage: string, state: string | undefined]> = [
  ["created", "Todo"],
  ["analysis", "In Progress"],
  ["architecture", "In Progress"],
  ["development", "In Progress"],
  ["review", "In Progress"],
  ["testing", "In Progress"],
  ["deploy", "In Progress"],
  ["done", "Done"],
  // A stage of the orchestrator's own, which changes no state.
  ["field test", undefined]
]

interface Next {
  readonly made: Made
  /** The task's stage after the event. */
  readonly stage: string
  readonly completed: boolean
}

/** Every third event of a work item has a new log, and of these every second one a link whose address stays the same. */
const linksOf = (key: string, nth: number, number: number): ReadonlyArray<ExpectedLink> => {
  if (nth % 3 !== 1) return []
  const page = `https://ci.example.com/pages/${key}`
  const log: ExpectedLink = { kind: "log", url: `https://ci.example.com/logs/${number}` }
  // Now and then two kinds share an address, which Plane takes only once.
  if (nth % 15 === 10) return [{ kind: "log", url: page }]
  return nth % 2 === 1 ? [log, { kind: "page", url: page }] : [log]
}

const lastEvent = "the load's end"

const isGate = (made: Made | undefined): made is Made => made?.body["type"] === "quality_gate_failed"

const completion = (key: string): Made => ({
  body: { type: "task_completed", workItem: key },
  line: "✅ Task completed! PR merged and deployed.",
  state: "Done"
})

const gateFailed = (key: string, stage: string, number: number): Made => {
  const reason = `number ${number}: 1 < 2 && "a" > 'b' </p>`
  return {
    body: { type: "quality_gate_failed", workItem: key, stage, check: "tests", reason },
    line: `⚠️ QG failed at ${stage}: tests — ${reason}`,
    state: undefined
  }
}

const turnOf = ({ body, line }: Made): Turn =>
  body["type"] === "stage_changed"
    ? { _tag: "Entered", from: body["from"] ?? "", to: body["to"] ?? "", agent: body["agent"] ?? "" }
    : { _tag: body["type"] === "task_completed" ? "Completed" : "Failed", line }

const stageChanged = (key: string, from: string, to: string, agent: string, state: string | undefined): Made => ({
  body: { type: "stage_changed", workItem: key, from, to, agent },
  line: `🔄 Stage: ${from} → ${to} (launching ${agent})`,
  state
})

/**
 * Makes an event whose text has its number, so that Plane shows which event it was. An exception is a gate that fails
 * again for the same reason: it is counted in the comment that tells it. A completion is the only one of its work item.
 */
const make = (
  { completed, key, last, number, stage: from }: {
    readonly key: string
    readonly number: number
    readonly stage: string
    readonly completed: boolean
    readonly last: Made | undefined
  }
): Effect.Effect<Next> =>
  Effect.gen(function*() {
    if (isGate(last) && (yield* Random.next) < 0.5) return { made: last, stage: from, completed }
    const dice = yield* Random.nextIntBetween(0, 20)
    if (dice === 0 && !completed) {
      return { made: completion(key), stage: "done", completed: true }
    }
    if (dice < 5) {
      return { made: gateFailed(key, from, number), stage: from, completed }
    }
    const [to, state] = states[yield* Random.nextIntBetween(0, states.length)] ?? ["done", "Done"]
    return { made: stageChanged(key, from, to, `agent ${number}`, state), stage: to, completed }
  })

const Accepted = Schema.Struct({ id: Schema.String, duplicate: Schema.Boolean })

/**
 * Publishes about every target until `stop`. Each event has an id of its own and is published again until it is
 * answered 202. A target's next event is published after its last one was accepted, so Plane must show them in that
 * order. Only accepted events count.
 */
export const start = (options: {
  /** Where the next request goes. */
  readonly url: () => string
  readonly seed: number
  readonly targets: ReadonlyArray<Target>
  /** The state of a work item that no event has asked to change. */
  readonly initialState: string
  /** Called at the moment at which a 202 arrives, before anything else is done. */
  readonly accepted: (url: string) => void
}) =>
  Effect.gen(function*() {
    const { initialState, seed, targets, url } = options
    // Fifty clients that keep trying a closed port would take the processor from the program that is to open it.
    const listening = yield* Effect.makeLatch(false)
    const again = Effect.timeoutOption(listening.await, "500 millis").pipe(Effect.delay("50 millis"))
    const client = yield* HttpClient.HttpClient
    const stopping = yield* Deferred.make<void>()
    const counts = { accepted: 0, resent: 0, duplicates: 0, unanswered: 0, refused: 0, doubtful: 0 }
    const accepted = new Map(targets.map(({ id }): [string, Array<Published>] => [id, []]))
    let number = 0

    // The program answers 503 while it starts or stops, and nothing when it is killed. Anything else is a bug, in the
    // program or here.
    const post = (body: Readonly<Record<string, unknown>>) =>
      Effect.gen(function*() {
        const to = url()
        const response = yield* client.execute(
          HttpClientRequest.post(`${to}/api/events`).pipe(HttpClientRequest.bodyUnsafeJson(body))
        )
        if (response.status === 202) {
          options.accepted(to)
          return Option.some(yield* HttpClientResponse.schemaBodyJson(Accepted)(response))
        }
        const words = yield* response.text
        if (response.status === 503) counts.refused += 1
        return response.status === 503
          ? Option.none()
          : yield* Effect.dieMessage(`POST /api/events answered ${response.status} ${words} to ${JSON.stringify(body)}`)
      }).pipe(
        Effect.scoped,
        // A busy machine answers late, and a killed program breaks the connection.
        Effect.timeout("10 seconds"),
        Effect.orElse(() =>
          Effect.sync(() => {
            counts.unanswered += 1
            return Option.none<typeof Accepted.Type>()
          })
        )
      )

    const publishUntilAccepted = Effect.fnUntraced(function*(body: Readonly<Record<string, unknown>>) {
      for (let isFirst = true;; isFirst = false) {
        const answer = yield* post(body)
        if (Option.isSome(answer)) {
          counts.accepted += 1
          if (!isFirst) counts.doubtful += 1
          if (answer.value.duplicate) counts.duplicates += 1
          return
        }
        counts.resent += 1
        yield* again
      }
    })

    const publishAbout = ({ id, key, living, pause }: Target, index: number) =>
      Effect.gen(function*() {
        let stage = "created"
        let completed = false
        let last: Made | undefined
        let published = 0
        const publish = Effect.fnUntraced(function*(made: Made, number: number) {
          const links = linksOf(key, published++, number)
          const titled = links.map((link) => ({ ...link, title: `${link.kind} of event ${number}` }))
          yield* publishUntilAccepted({
            ...made.body,
            id: `crash-${seed}-${number}`,
            ...(titled.length > 0 ? { links: titled } : {})
          })
          accepted.get(id)?.push({ ...made, links })
          last = made
        })
        for (;;) {
          const wait = Duration.times(pause, yield* Random.nextRange(0.2, 1.8))
          if (Option.isSome(yield* Effect.timeoutOption(Deferred.await(stopping), wait))) break
          const mine = ++number
          const next: Next = yield* make({ key, number: mine, stage, completed, last })
          yield* publish(next.made, mine)
          stage = next.stage
          completed = next.completed
        }
        // What is waited for in the end is told at once: a stage alone would wait for 30 s.
        if (living) {
          const mine = ++number
          yield* publish(completed ? gateFailed(key, stage, mine) : completion(key), mine)
        } else if (isGate(last)) {
          // A count that no event follows may wait for ten minutes.
          yield* publish(stageChanged(key, stage, "field test", lastEvent, undefined), ++number)
        }
      }).pipe(Effect.withRandom(Random.make(`${seed}:${index}`)))

    const publishing = yield* Effect.forkScoped(
      Effect.forEach(targets, publishAbout, { concurrency: "unbounded", discard: true })
    )

    const expected = (): ReadonlyArray<ExpectedTrail> =>
      targets.map(({ id, key }) => {
        const events = accepted.get(id) ?? []
        return {
          workItem: key,
          lines: events.map(({ line }) => line),
          turns: events.map(turnOf),
          state: events.findLast(({ state }) => state !== undefined)?.state ?? initialState,
          links: events.flatMap(({ links }) => links)
        }
      })

    /** Publishes a last failure about each target that has a comment which is edited, and which has to show it at once. */
    const failAll = Effect.forEach(targets.filter(({ living }) => living), ({ id, key }) => {
      const mine = ++number
      const made = gateFailed(key, "done", mine)
      return Effect.map(publishUntilAccepted({ ...made.body, id: `crash-${seed}-${mine}` }), () => {
        accepted.get(id)?.push({ ...made, links: [] })
      })
    }, { concurrency: "unbounded", discard: true })

    return {
      counts: (): Outcomes => ({ ...counts }),
      expected,
      failAll,
      /** Tells whether the program listens. If it does, publishers that wait try again at once. */
      listening: (is: boolean) => is ? listening.open : listening.close,
      /** Ends only if publishing has failed. */
      failed: Effect.zipRight(Fiber.join(publishing), Effect.never),
      /** Begins no new events, and waits until those that were begun are accepted. */
      stop: Effect.zipRight(Deferred.succeed(stopping, undefined), Fiber.join(publishing))
    }
  })
