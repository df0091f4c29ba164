import { Effect } from "effect"
import type { Attack } from "../Attack.js"
import { Target } from "../Target.js"
import { delivery, event, hold, must, publishing, raw, secret, send } from "../Wire.js"

const upgrades: ReadonlyArray<ReadonlyArray<readonly [string, string]>> = [
  // curl --http2 and Java's HttpClient.
  [["Connection", "Upgrade, HTTP2-Settings"], ["Upgrade", "h2c"], ["HTTP2-Settings", "AAMAAABkAAQAoAAAAAIAAAAA"]],
  [
    ["Connection", "Upgrade"],
    ["Upgrade", "websocket"],
    ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="],
    ["Sec-WebSocket-Version", "13"]
  ]
]

const upgrade: Attack = {
  row: 64,
  name: "upgrade",
  shows: "a request that asks for another protocol is answered as HTTP/1.1",
  inCi: true,
  run: Effect.gen(function*() {
    const { port } = yield* (yield* Target).serve({ ORCH_GITEA_WEBHOOK_SECRET: secret })
    for (const extra of upgrades) {
      const published = yield* send({ port }, publishing(event, extra))
      yield* must(published.status === 202, `a publish was answered ${published.text}`)
      const delivered = yield* send({ port }, delivery("{}", { extra }))
      yield* must(delivered.status === 202, `a delivery was answered ${delivered.text}`)
      const read = yield* send({ port }, raw("GET /health", [["Host", "localhost"], ...extra]))
      yield* must(read.status === 200, `GET /health was answered ${read.text}`)
    }
  })
}

const halfUpgrade: Attack = {
  row: 64,
  name: "half-upgrade",
  shows: "half a request that asks for another protocol ends like half a request of any other kind",
  inCi: false,
  run: Effect.gen(function*() {
    const { port } = yield* (yield* Target).serve({ ORCH_GITEA_WEBHOOK_SECRET: secret })
    const half = upgrades.flatMap((extra) => [
      delivery("{}", { sent: 1, extra }),
      publishing(event, extra).subarray(0, -10)
    ])
    const ended = yield* Effect.forEach(half, (bytes) => send({ port }, bytes, 40_000), { concurrency: "unbounded" })
    for (const { status, took } of ended) yield* must(took < 36_000, `a half-open upgrade lives on (${status})`)
  })
}

const hosts: Attack = {
  row: 81,
  name: "two-hosts",
  shows: "a request with two Host headers, two lengths, or a length and chunks is refused",
  inCi: true,
  run: Effect.gen(function*() {
    const { port } = yield* (yield* Target).serve({ ORCH_GITEA_WEBHOOK_SECRET: secret })
    const twice = [
      publishing(event, [["Host", "localhost"]]),
      publishing(event, [["host", "evil.example"]]),
      publishing(event, [["Content-Length", "1"]]),
      publishing(event, [["Transfer-Encoding", "chunked"]]),
      delivery("{}", { extra: [["Host", "plane-sync.internal"]] }),
      raw("GET /health", [["Host", "localhost"], ["Host", "localhost"]]),
      raw("GET /health", [])
    ]
    for (const bytes of twice) {
      const { status, text } = yield* send({ port }, bytes)
      yield* must(status === 400, `${bytes.toString()} was answered ${text}`)
    }
  })
}

/** What every answer says to a browser. */
const wanted = [
  /\r\nx-content-type-options: nosniff\r\n/i,
  /\r\nx-frame-options: DENY\r\n/i,
  /\r\ncontent-security-policy: [^\r]*frame-ancestors 'none'/i,
  /\r\nreferrer-policy: no-referrer\r\n/i
]

const headers: Attack = {
  row: 73,
  name: "headers",
  shows: "every answer forbids frames, foreign scripts and guesses at its type; another scheme is no token",
  inCi: true,
  run: Effect.gen(function*() {
    const { port } = yield* (yield* Target).serve({ ORCH_API_TOKEN: "s3cret" })
    const host = ["Host", "localhost"] as const
    const requests = [
      [200, raw("GET /health", [host])],
      [200, raw("GET /docs", [host])],
      [200, raw("GET /openapi.json", [host])],
      [401, raw("GET /api/events", [host])],
      [401, raw("GET /api/events", [host, ["Authorization", "XXXXXXXs3cret"]])],
      [401, raw("GET /api/events", [host, ["Authorization", "Basic s3cret"]])],
      [200, raw("GET /api/events", [host, ["Authorization", "Bearer s3cret"]])],
      [404, raw("GET /nothing", [host])],
      [405, raw("DELETE /api/events", [host])],
      [403, raw("GET /health", [host, ["Origin", "http://evil.example"]])],
      [503, delivery("{}")],
      [400, Buffer.from("nonsense\r\n\r\n")],
      [431, raw("GET /health", [host, ["X", "x".repeat(20_000)]])]
    ] as const
    for (const [expected, bytes] of requests) {
      const { status, text } = yield* send({ port }, bytes)
      const head = text.slice(0, 1_500)
      yield* must(status === expected, `expected ${expected}: ${head}`)
      for (const header of wanted) yield* must(header.test(head), `${header.source} is not in ${head}`)
    }
  })
}

const slow: Attack = {
  row: 64,
  name: "slow-heads",
  shows: "500 connections that send nothing, or no end of a head, end, and others are answered meanwhile",
  inCi: false,
  run: Effect.gen(function*() {
    const { port } = yield* (yield* Target).serve()
    const bytes = ["", "GET /health HTTP/1.1\r\nHost: local"]
    const held = yield* Effect.forEach(
      Array.from({ length: 500 }, (_, n) => bytes[n % 2] ?? ""),
      (sent) => hold({ port }, sent)
    )
    const { status, took } = yield* send({ port }, publishing(event))
    yield* must(status === 202 && took < 1_000, `a publish was answered ${status} after ${took.toFixed(0)} ms`)
    yield* Effect.sleep("40 seconds")
    const alive = held.filter((socket) => !socket.closed).length
    yield* must(alive === 0, `${alive} connections live on after 40 seconds`)
  })
}

/** What comes by HTTP itself. */
export const httpAttacks: ReadonlyArray<Attack> = [upgrade, halfUpgrade, hosts, headers, slow]
