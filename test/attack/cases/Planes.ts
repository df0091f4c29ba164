import { Effect } from "effect"
import type { Scope } from "effect"
import { createServer } from "node:http"
import type { ServerResponse } from "node:http"
import type { Attack } from "../Attack.js"
import { Target } from "../Target.js"
import { event, must, publishing, send } from "../Wire.js"

const large = 16 * 1_024 * 1_024

const texts = {
  deep: () => `${"[".repeat(large / 2)}${"]".repeat(large / 2)}`,
  wide: () => `{"results":[${"{},".repeat(large / 3)}{}]}`,
  text: () => `{"id":"${"x".repeat(large)}"}`,
  page: () => "<html>".repeat(large / 6)
}

/** Sends for as long as anybody reads. */
const endless = (response: ServerResponse) => {
  const more = () => {
    while (response.writable && response.write("[".repeat(65_536)));
  }
  response.on("drain", more)
  more()
}

/** A Plane that answers every request in one odd way. Returns its address, and how many requests it got. */
const oddPlane = (
  answer: (response: ServerResponse) => void
): Effect.Effect<{ readonly url: string; readonly asked: () => number }, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<{ readonly server: ReturnType<typeof createServer>; readonly asked: () => number }>((resume) => {
      let asked = 0
      const server = createServer((request, response) => {
        asked += 1
        request.resume()
        response.on("error", () => undefined).writeHead(200, { "content-type": "application/json" })
        answer(response)
      })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed({ server, asked: () => asked })))
    }),
    ({ server }) =>
      Effect.sync(() => {
        server.close()
        server.closeAllConnections()
      })
  ).pipe(Effect.map(({ asked, server }) => {
    const address = server.address()
    return { asked, url: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}` }
  }))

const oddAnswers: Attack = {
  row: 70,
  name: "odd-plane",
  shows:
    "a Plane that answers 16 MiB of brackets, members or text, or without end, takes no memory and delays no publish",
  inCi: false,
  run: Effect.gen(function*() {
    const { serve } = yield* Target
    const answers = [
      ...Object.values(texts).map((text) => {
        const body = text()
        return (response: ServerResponse) => void response.end(body)
      }),
      endless
    ]
    for (const [index, answer] of answers.entries()) {
      yield* Effect.scoped(Effect.gen(function*() {
        const { asked, url } = yield* oddPlane(answer)
        const { memory, port } = yield* serve({
          ORCH_PLANE_API_URL: url,
          ORCH_PLANE_API_TOKEN: "plane_api_odd",
          ORCH_PLANE_MAX_BACKOFF: "100 millis"
        })
        const before = yield* memory
        for (let n = 0; n < 20; n++) {
          const { status, took } = yield* send({ port }, publishing(event))
          yield* must(status === 202 && took < 1_500, `a publish was answered ${status} after ${took.toFixed(0)} ms`)
          yield* Effect.sleep("100 millis")
        }
        const grown = (yield* memory) - before
        yield* must(grown < 300, `answer ${index}: memory has grown by ${grown.toFixed(0)} MiB`)
        yield* must(asked() > 0, `answer ${index}: nothing was asked`)
      }))
    }
  })
}

/** What a Plane does that answers oddly. */
export const planeAttacks: ReadonlyArray<Attack> = [oddAnswers]
