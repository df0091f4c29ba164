import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Exit, Layer, Option, Redacted, Scope } from "effect"
import { createHmac } from "node:crypto"
import type { NoticeFormat } from "../../src/people/NoticeConfig.js"
import { noticeConfig } from "../../src/people/NoticeConfig.js"
import { noticeText } from "../../src/people/NoticeRequest.js"
import type { NoticeDocument } from "../../src/people/Notices.js"
import { People } from "../../src/people/People.js"
import { readWaiting } from "../../src/people/Waiting.js"
import { Storage } from "../../src/storage/Storage.js"
import { Tasks } from "../../src/tasks/Tasks.js"
import { inFile, onEachDialect } from "../support/Engines.js"
import type { Taken } from "../support/NoticeReceiver.js"
import { noticeReceiver } from "../support/NoticeReceiver.js"
import { collecting } from "../support/Spans.js"
import { eventually, world } from "./Waiting.js"

const settingsOf = (url: string, format: NoticeFormat = "json", more: Readonly<Record<string, string>> = {}) => ({
  ORCH_NOTICE_URL: url,
  ORCH_NOTICE_FORMAT: format,
  ORCH_NOTICE_SECRET: "signing key",
  ...more
})

const asked = (question: string) =>
  Effect.gen(function*() {
    yield* (yield* Tasks).start({ workItem: "ET-2" })
    return yield* (yield* People).ask("ET-2", { question, agent: "analyst" })
  })

const notices = Effect.gen(function*() {
  const task = yield* (yield* Tasks).get("ET-2")
  const open = (yield* readWaiting(yield* Storage, [task])).get(task.id) ?? []
  return open.flatMap(({ notices }) => notices)
})

const bodyOf = ({ body }: Pick<Taken, "body">): Record<string, unknown> => {
  const json: unknown = JSON.parse(body)
  return { ...typeof json === "object" ? json : {} }
}

onEachDialect("notices", ({ storage }) => {
  it.scopedLive("are signed, and sent once and in order: opened, then answered", () =>
    Effect.gen(function*() {
      const { seen, url } = yield* noticeReceiver()
      yield* Effect.gen(function*() {
        yield* asked("May it go?")
        yield* (yield* People).answer("ET-2", { text: "Yes", by: "lea" })
        yield* eventually(Effect.sync(() => seen.length), (count) => count === 2)
        yield* Effect.sleep("1 second")
        assert.deepStrictEqual(seen.map((one) => [one.path, bodyOf(one)["type"]]), [
          ["/hook/s3cret", "opened"],
          ["/hook/s3cret", "answered"]
        ])
        assert.deepInclude(bodyOf(seen[1] ?? { body: "{}" }), {
          workItem: "ET-2",
          question: "May it go?",
          agent: "analyst",
          why: "Yes",
          by: "lea"
        })
        for (const { body, headers } of seen) {
          const signature = createHmac("sha256", "signing key").update(body).digest("hex")
          assert.strictEqual(headers["x-plane-sync-signature"], signature)
        }
        assert.lengthOf(new Set(seen.map(({ headers }) => headers["x-plane-sync-delivery"])), 2)
      }).pipe(Effect.provide(world({ database: storage, settings: settingsOf(url) })))
    }), 20_000)

  it.scopedLive(
    "that fail, or are redirected, are sent again, and those after them wait",
    () =>
      Effect.gen(function*() {
        const { seen, url } = yield* noticeReceiver("fails", "redirects")
        yield* Effect.gen(function*() {
          yield* asked("May it go?")
          yield* (yield* People).ask("ET-2", { question: "And this?" })
          const [first] = yield* eventually(
            notices,
            (given) => given.some(({ reason }) => reason?.includes("307") === true)
          )
          assert.deepInclude(first, { status: "pending" })
          assert.match(first?.reason ?? "", /^127\.0\.0\.1:\d+ answered 307, a redirect, which is not followed/)
          assert.notInclude(first?.reason ?? "", "s3cret")
          yield* eventually(notices, (given) => given.every(({ status }) => status === "delivered"))
          const questions = seen.map((one) => bodyOf(one)["question"])
          assert.deepStrictEqual(questions, ["May it go?", "May it go?", "May it go?", "And this?"])
          assert.isTrue(seen.every(({ path }) => path === "/hook/s3cret"))
          assert.lengthOf(new Set(seen.map(({ headers }) => headers["x-plane-sync-delivery"])), 2)
        }).pipe(Effect.provide(world({ database: storage, settings: settingsOf(url) })))
      }),
    30_000
  )
})

describe("notices", () => {
  it.scopedLive("have their address in no span of a host's tracer", () =>
    Effect.gen(function*() {
      const { spans, tracer } = yield* collecting
      const { seen, url } = yield* noticeReceiver()
      yield* Effect.gen(function*() {
        yield* asked("May it go?")
        yield* eventually(Effect.sync(() => seen.length), (count) => count === 1)
        yield* Effect.sleep("200 millis")
      }).pipe(
        Effect.provide(world({ database: inFile.storage, settings: settingsOf(url) })),
        Effect.withTracer(tracer)
      )
      assert.isNotEmpty(spans)
      for (const { attributes, name } of spans) {
        assert.notInclude(JSON.stringify([name, ...attributes.entries()]), "s3cret")
      }
      assert.isFalse(spans.some(({ name }) => name.startsWith("http.client")), "a request of a notice has a span")
    }))

  it.scopedLive("survive a restart, and a server that says nothing", () =>
    Effect.gen(function*() {
      const { seen, url } = yield* noticeReceiver("hangs")
      const database = yield* inFile.database
      const settings = settingsOf(url)
      const first = yield* Scope.make()
      const context = yield* Layer.buildWithScope(Layer.fresh(world({ database, settings })), first)
      yield* Effect.provide(asked("May it go?"), context)
      yield* eventually(Effect.sync(() => seen.length), (count) => count === 1)
      yield* Scope.close(first, Exit.void)
      yield* Effect.gen(function*() {
        const given = yield* eventually(notices, (given) => given.every(({ status }) => status === "delivered"))
        assert.deepStrictEqual(given.map(({ kind, status }) => [kind, status]), [["opened", "delivered"]])
        // Nobody knows whether the first one was taken, so it is sent again under the same id.
        assert.lengthOf(seen, 2)
        assert.lengthOf(new Set(seen.map(({ headers }) => headers["x-plane-sync-delivery"])), 1)
      }).pipe(Effect.provide(Layer.fresh(world({ database, settings }))))
    }), 30_000)

  it.scopedLive(
    "are written as the services take them, and wake nobody by what stands in them",
    () =>
      Effect.gen(function*() {
        const hostile = "<!channel> *all* & <https://evil.example.com|here>"
        const bodies: Record<string, string> = {}
        for (const format of ["slack", "telegram", "ntfy"] as const) {
          const { seen, url } = yield* noticeReceiver()
          const settings = settingsOf(url, format, { ORCH_NOTICE_CHAT: "-100123" })
          yield* Effect.zipRight(asked(hostile), eventually(Effect.sync(() => seen.length), (count) => count > 0)).pipe(
            Effect.provide(world({ database: inFile.storage, settings }))
          )
          bodies[format] = seen[0]?.body ?? ""
        }
        const text = `ET-2 waits for somebody (created)\nanalyst asks: ${hostile}`
        const escaped = text.replace("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
        assert.deepStrictEqual(bodies, {
          slack: JSON.stringify({ text: escaped }),
          telegram: JSON.stringify({ chat_id: "-100123", text }),
          ntfy: text
        })
      }),
    30_000
  )

  it("have a bounded text", () => {
    const document: NoticeDocument = {
      type: "answered",
      id: "one",
      wait: 1,
      workItem: "ET-2",
      stage: "analysis",
      reason: "asked",
      question: "x".repeat(4_000),
      agent: null,
      why: "y".repeat(4_000),
      by: "lea",
      reached: [],
      at: "2026-11-29T17:00:00Z"
    }
    assert.isBelow(noticeText(document).length, 2_200)
  })

  const configOf = (settings: Readonly<Record<string, string>>) =>
    Effect.withConfigProvider(noticeConfig, ConfigProvider.fromMap(new Map(Object.entries(settings))))

  it.effect("go nowhere without an address, and want what their format needs; the address is never shown", () =>
    Effect.gen(function*() {
      assert.isTrue(Option.isNone(yield* configOf({})))
      const url = "https://hooks.example.com/T0/s3cret"
      const wrong = (settings: Readonly<Record<string, string>>) => Effect.map(Effect.flip(configOf(settings)), String)
      assert.include(yield* wrong({ ORCH_NOTICE_URL: url }), "ORCH_NOTICE_SECRET")
      const telegram = { ORCH_NOTICE_URL: url, ORCH_NOTICE_FORMAT: "telegram" }
      assert.include(yield* wrong(telegram), "ORCH_NOTICE_CHAT")
      const said = yield* wrong({ ORCH_NOTICE_URL: "ftp://hooks.example.com/s3cret", ORCH_NOTICE_FORMAT: "ntfy" })
      assert.include(said, "ORCH_NOTICE_URL")
      assert.notInclude(said, "s3cret")
      const config = Option.getOrThrow(yield* configOf({ ORCH_NOTICE_URL: url, ORCH_NOTICE_FORMAT: "slack" }))
      assert.strictEqual(config.host, "hooks.example.com")
      assert.strictEqual(Redacted.value(config.url), url)
      assert.notInclude(JSON.stringify(config), "s3cret")
    }))
})
