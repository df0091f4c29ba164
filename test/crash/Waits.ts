import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { Deferred, Duration, Effect, Fiber, Option, Random } from "effect"
import type { Plane } from "./Plane.js"
import { within } from "./Program.js"

/** Users of the simulated Plane: whom plane-sync assigns, and whom a person assigns or takes out. */
export const asked = "3c1f0c7e-52a4-4b0f-9d4e-6a7c1d5e0b01"
const other = "3c1f0c7e-52a4-4b0f-9d4e-6a7c1d5e0b02"

const atOnce = 4

/** After so many questions another task asks: one asks 20 at a stage at most. */
const mostQuestions = 15

/** A person's change that our own undoes is put back once, about 3 s later: the next one comes after that. */
const atRest = Duration.seconds(12)

interface Waiting {
  readonly id: string
  readonly key: string
  /** Whom the person has assigned. */
  own: ReadonlyArray<string>
}

/**
 * Tasks that ask and are answered, again and again, until `stop`; meanwhile a person assigns somebody to their work
 * items, and takes them out again. These work items have no other events.
 */
export const start = (
  { plane, seed, url }: { readonly plane: Plane; readonly seed: number; readonly url: string }
) =>
  Effect.gen(function*() {
    const client = yield* HttpClient.HttpClient
    const stopping = yield* Deferred.make<void>()
    const all: Array<Waiting> = []
    const addItem = Effect.map(
      Effect.suspend(() => plane.addWorkItem(`Waits ${all.length + 1}`)),
      ({ id, number }) => {
        const item: Waiting = { id, key: `ET-${number}`, own: [] }
        all.push(item)
        return item
      }
    )
    const first = yield* Effect.forEach(Array.from({ length: atOnce }), () => addItem)

    /** Posts until it is answered with a 2xx, or by a 409 if that is right too. */
    const post = (path: string, body: Readonly<Record<string, string>>, isRight: (status: number) => boolean) => {
      const once = HttpClientRequest.post(`${url}/api/tasks${path}`).pipe(
        HttpClientRequest.bodyUnsafeJson(body),
        client.execute,
        Effect.flatMap((response) => Effect.map(response.text, (words) => ({ status: response.status, words }))),
        Effect.scoped,
        Effect.timeout("10 seconds"),
        Effect.option,
        Effect.flatMap((answer) => {
          // Nothing, or 503: it was killed, starts or stops.
          if (Option.isNone(answer) || answer.value.status === 503) return Effect.succeed(false)
          const { status, words } = answer.value
          return isRight(status) ? Effect.succeed(true) : Effect.dieMessage(`POST ${path} answered ${status} ${words}`)
        })
      )
      return Effect.iterate(false, { while: (done) => !done, body: () => Effect.delay(once, "250 millis") })
    }
    const isOk = (status: number) => status >= 200 && status < 300

    /** Somebody is put there or taken out at the very moment of our own PATCH, or thereabouts. */
    const personChanges = (item: Waiting) =>
      Effect.gen(function*() {
        if ((yield* Random.next) < 0.5) return false
        yield* Effect.sleep(yield* within(0, 1_000))
        item.own = item.own.length === 0 ? [other] : []
        yield* plane.assign(item.id, item.own)
        return true
      })

    const waitAbout = (begun: Waiting, index: number) =>
      Effect.gen(function*() {
        let item = begun
        for (let number = 0;; number++) {
          if (number > 0 && number % mostQuestions === 0) item = yield* addItem
          if (number % mostQuestions === 0) yield* post("", { workItem: item.key }, isOk)
          const pause = Duration.millis(yield* within(500, 4_000))
          if (Option.isSome(yield* Effect.timeoutOption(Deferred.await(stopping), pause))) return
          yield* post(`/${item.key}/ask`, { question: `Question ${number}?`, agent: "architect" }, isOk)
          if (yield* personChanges(item)) yield* Effect.sleep(atRest)
          else yield* Effect.sleep(yield* within(500, 4_000))
          // 409: the answer that the kill has cut off was stored.
          yield* post(`/${item.key}/answer`, { text: "Yes", by: "lea" }, (status) => isOk(status) || status === 409)
          if (yield* personChanges(item)) yield* Effect.sleep(atRest)
        }
      }).pipe(Effect.withRandom(Random.make(`${seed}:waits:${index}`)))

    const working = yield* Effect.forkScoped(
      Effect.forEach(first, waitAbout, { concurrency: "unbounded", discard: true })
    )
    return {
      /** Asks nothing more, and waits until all is answered. */
      stop: Effect.zipRight(Deferred.succeed(stopping, undefined), Effect.orDie(Fiber.join(working))),
      /** Ends only if something was answered that should not be. */
      failed: Effect.zipRight(Effect.orDie(Fiber.join(working)), Effect.never),
      /** Where Plane shows other assignees than the person's own. Only when all is answered. */
      wrong: Effect.map(
        Effect.forEach(all, ({ id, key, own }) =>
          Effect.map(plane.workItem(id), ({ assignees }) =>
            assignees.join() === own.join()
              ? []
              : [`${key} has ${assignees.join(", ") || "nobody"}, expected ${own.join(", ") || "nobody"}`])),
        (found) =>
          found.flat()
      )
    }
  })
