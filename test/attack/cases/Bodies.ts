import { Effect } from "effect"
import type { Attack } from "../Attack.js"
import { Target } from "../Target.js"
import { delivery, event, hold, must, publishing, raw, secret, send, signature } from "../Wire.js"

const mebi = 1024 * 1024

const settings = { ORCH_GITEA_WEBHOOK_SECRET: secret, ORCH_API_TOKEN: "s3cret" }

const token = ["Authorization", "Bearer s3cret"] as const

/** A push with so many bytes of filling. */
const push = (bytes: number, n = 0) =>
  Buffer.from(JSON.stringify({ n, repository: { id: 41, full_name: "acme/maps" }, filling: "x".repeat(bytes) }))

/** A delivery with a signature that is made up, of which only a part comes. */
const forged = (length: number, sent: number) =>
  delivery(Buffer.alloc(length, "x"), { signature: "0".repeat(64), sent })

/** So many of the same are opened one after the other, and send nothing more. */
const holding = (port: number, count: number, bytes: Buffer, from?: (n: number) => string) =>
  Effect.forEach(
    Array.from({ length: count }, (_, n) => n),
    (n) => hold({ port, ...(from === undefined ? {} : { from: from(n) }) }, bytes),
    { discard: true }
  )

/** 1,200 bodies at the API are held open, by whoever shows `shown`, while events are published. */
const holdEvents = (settings: Readonly<Record<string, string>>, shown: ReadonlyArray<readonly [string, string]>) =>
  Effect.gen(function*() {
    const { memory, port } = yield* (yield* Target).serve(settings)
    const before = yield* memory
    const head = publishing("", shown).toString().replace("Content-Length: 0", `Content-Length: ${mebi}`)
    yield* holding(port, 1_200, Buffer.from(head + " ".repeat(mebi - 1)))
    // Until all that fits has left this process, which sends the events, too.
    yield* Effect.sleep("4 seconds")
    for (let n = 0; n < 3; n++) {
      const { status, took } = yield* send({ port }, publishing(event, [token]))
      yield* must(status === 202 && took < 10_000, `an event was answered ${status} after ${took.toFixed(0)} ms`)
      const grown = (yield* memory) - before
      yield* must(grown < 300, `memory has grown by ${grown.toFixed(0)} MiB`)
      yield* Effect.sleep("500 millis")
    }
  })

const heldEvents: Attack = {
  row: 67,
  name: "held-events",
  shows: "1,200 bodies of 1 MiB that are held open take a bounded memory, and events are taken meanwhile",
  inCi: false,
  run: holdEvents({}, [])
}

const heldWithToken: Attack = {
  row: 67,
  name: "held-with-token",
  shows: "the same of bodies whose senders have the token",
  inCi: false,
  run: holdEvents(settings, [token])
}

const heldHooks: Attack = {
  row: 66,
  name: "held-hooks",
  shows: "140 senders of forged hooks hold their bodies open, and every delivery of Gitea is taken all the same",
  inCi: true,
  run: Effect.gen(function*() {
    const spread = (n: number) => `127.0.1.${1 + n % 7}`
    for (
      const [length, sent, from] of [
        [mebi, mebi - 1, undefined],
        [60_000, 59_999, spread],
        [20 * mebi, 480_000, undefined]
      ] as const
    ) {
      const { port } = yield* (yield* Target).serve(settings)
      yield* Effect.scoped(Effect.gen(function*() {
        yield* holding(port, 140, forged(length, sent), from)
        const bodies = Array.from({ length: 126 }, (_, n) => push(n % 6 === 0 ? 200_000 : 10_000, n))
        const answers = yield* Effect.forEach(bodies, (body) => send({ port }, delivery(body)), { concurrency: 8 })
        const lost = answers.filter(({ status }) => status !== 202)
        yield* must(lost.length === 0, `${lost.length} of 126 were lost: ${lost[0]?.status ?? 0}`)
      }))
    }
  })
}

const forgedLarge: Attack = {
  row: 66,
  name: "forged-large",
  shows: "forged large bodies that come slowly or not at all do not keep out a large one that is signed",
  inCi: true,
  run: Effect.gen(function*() {
    const { port } = yield* (yield* Target).serve(settings)
    yield* holding(port, 60, forged(30 * mebi, 1.5 * mebi))
    for (const bytes of [2, 6, 25]) {
      const body = push(bytes * mebi)
      const { status, took } = yield* send({ port }, delivery(body))
      yield* must(status === 202 && took < 5_000, `${bytes} MiB were answered ${status} after ${took.toFixed(0)} ms`)
    }
  })
}

const bare = { Host: "localhost", "Content-Type": "application/json" }

const shapes: Attack = {
  row: 68,
  name: "shapes",
  shows: "bodies of 100,000 keys, levels or elements are refused quickly and with few words",
  inCi: true,
  run: Effect.gen(function*() {
    const { port } = yield* (yield* Target).serve()
    const keys = Array.from({ length: 95_000 }, (_, n) => `"k${n}":1`).join(",")
    const bodies = [
      `{${keys}}`,
      `{"type":"stage_changed","workItem":"ET-1","from":{${keys}},"to":1}`,
      `{"type":[${"1,".repeat(500_000)}1]}`,
      `${"[".repeat(500_000)}${"]".repeat(500_000)}`,
      "{\"a\":".repeat(200_000),
      `{"type":"task_completed","workItem":${JSON.stringify("x".repeat(1_000_000))}}`,
      `{${JSON.stringify("x".repeat(1_000_000))}:1,"type":"task_completed","workItem":"ET-1"}`,
      `[${"{},".repeat(300_000)}{}]`
    ]
    for (const body of bodies) {
      for (const path of ["/api/events", "/api/tasks", "/api/tasks/ET-1/report", "/api/deliveries/retry"]) {
        const headers = [...Object.entries(bare), ["Content-Length", String(body.length)] as const]
        const { status, text, took } = yield* send({ port }, raw(`POST ${path}`, headers, body))
        const what = `${path} answered ${status} after ${took.toFixed(0)} ms with ${text.length} characters`
        yield* must(status === 400 && took < 500 && text.length < 10_000, `${body.slice(0, 40)}: ${what}`)
      }
    }
  })
}

const slowBodies: Attack = {
  row: 66,
  name: "slow-bodies",
  shows: "bodies that come a byte a second end, at the API and at the webhooks",
  inCi: false,
  run: Effect.gen(function*() {
    const { port } = yield* (yield* Target).serve(settings)
    const some = publishing(event, [token]).toString().replace(/Content-Length: \d+/, "Content-Length: 1000")
    const bodies = [Buffer.from(some), delivery("{}".padEnd(1_000), { sent: 3, signature: signature("{}") })]
    const sockets = yield* Effect.forEach(bodies, (bytes) => hold({ port }, bytes))
    for (let n = 0; n < 40; n++) {
      for (const socket of sockets) if (!socket.destroyed) socket.write(" ")
      yield* Effect.sleep("1 second")
    }
    const alive = sockets.filter((socket) => !socket.closed).length
    yield* must(alive === 0, `${alive} connections live on after 40 seconds`)
  })
}

/** What comes in bodies. */
export const bodyAttacks: ReadonlyArray<Attack> = [
  heldEvents,
  heldWithToken,
  heldHooks,
  forgedLarge,
  shapes,
  slowBodies
]
