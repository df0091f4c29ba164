import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Logger, Stream, TestClock } from "effect"
import { BodyRoom } from "../../src/base/BodyRoom.js"
import { projectsLayer } from "../../src/config/ProjectsConfig.js"
import { Stirs } from "../../src/gitea/Stirs.js"
import { Storage } from "../../src/StorageLayers.js"
import { Inbox } from "../../src/webhooks/Inbox.js"
import { Receiver } from "../../src/webhooks/Receiver.js"
import { SkippedHooks } from "../../src/webhooks/SkippedHooks.js"
import type { Source } from "../../src/webhooks/WebhookConfig.js"
import { WebhookConfig } from "../../src/webhooks/WebhookConfig.js"
import { secrets, signature } from "./Sender.js"

const former: Readonly<Record<Source, string>> = { plane: "plane_wh_of_last_year", gitea: "gravel alone" }

const variables = (settings: Readonly<Record<string, string>>) =>
  ConfigProvider.fromMap(new Map(Object.entries(settings)))

const rotated = {
  ORCH_PLANE_WEBHOOK_SECRET: secrets.plane,
  ORCH_PLANE_WEBHOOK_SECRET_PREVIOUS: former.plane,
  ORCH_GITEA_WEBHOOK_SECRET: secrets.gitea,
  ORCH_GITEA_WEBHOOK_SECRET_PREVIOUS: former.gitea
}

const receiving = (settings: Readonly<Record<string, string>>, lines: Array<string> = []) =>
  Layer.provideMerge(
    Receiver.layer,
    Layer.mergeAll(BodyRoom.layer, Inbox.layer, SkippedHooks.layer, Stirs.layer, projectsLayer)
  ).pipe(
    Layer.provideMerge(Storage.layerFile(":memory:")),
    Layer.provide(Layer.setConfigProvider(variables(settings))),
    Layer.provideMerge(
      Logger.replace(Logger.defaultLogger, Logger.make(({ message }) => void lines.push(String(message))))
    )
  )

const receive = (source: Source, secret: string, body = "{}") =>
  Effect.flatMap(Receiver, ({ receive }) =>
    receive(source, {
      headers: {
        "content-type": "application/json",
        [`x-${source}-signature`]: signature(source, body, secret),
        "x-gitea-event-type": "status"
      },
      body: Stream.make(Buffer.from(body))
    }))

const sources = ["plane", "gitea"] as const

describe("row 33: a secret that was changed", () => {
  it.effect("and the one before are both accepted, small or large; the use of the former is said", () => {
    const lines: Array<string> = []
    return Effect.gen(function*() {
      const large = `{"a":"${"x".repeat(1_100_000)}"}`
      for (const source of sources) {
        const setting = `ORCH_${source.toUpperCase()}_WEBHOOK_SECRET`
        lines.length = 0
        for (const body of ["{}", large]) assert.strictEqual(yield* receive(source, secrets[source], body), "stored")
        assert.deepStrictEqual(lines, [])
        for (const body of ["{}", large]) assert.strictEqual(yield* receive(source, former[source], body), "stored")
        assert.lengthOf(lines, 1)
        assert.include(lines[0], `the secret of ${setting}_PREVIOUS`)
        assert.notInclude(lines[0], former[source])
        yield* TestClock.adjust("61 seconds")
        yield* receive(source, former[source])
        assert.lengthOf(lines, 2)
        const other = source === "plane" ? former.gitea : former.plane
        const refused = yield* Effect.flip(receive(source, other))
        assert.containSubset(refused, {
          status: 401,
          why: `its signature is not that of ${setting}, nor that of ${setting}_PREVIOUS`
        })
      }
    }).pipe(Effect.provide(receiving(rotated, lines)))
  })

  it.effect("is refused once the former is removed", () =>
    Effect.gen(function*() {
      for (const source of sources) {
        assert.strictEqual(yield* receive(source, secrets[source]), "stored")
        assert.containSubset(yield* Effect.flip(receive(source, former[source])), { status: 401 })
      }
    }).pipe(Effect.provide(receiving({
      ORCH_PLANE_WEBHOOK_SECRET: secrets.plane,
      ORCH_GITEA_WEBHOOK_SECRET: secrets.gitea
    }))))

  it.effect("may not be missing where the former is set, whether or not unsigned hooks are accepted", () =>
    Effect.gen(function*() {
      for (const source of sources) {
        const setting = `ORCH_${source.toUpperCase()}_WEBHOOK_SECRET`
        for (const insecure of ["true", "false"]) {
          const settings = { [`${setting}_PREVIOUS`]: former[source], ORCH_WEBHOOKS_INSECURE: insecure }
          const error = yield* Effect.flip(Effect.withConfigProvider(WebhookConfig, variables(settings)))
          const words = JSON.stringify(error)
          assert.include(words, `${setting}_PREVIOUS`)
          assert.include(words, `it is set and ${setting} is not`)
          assert.notInclude(words, former[source])
        }
      }
    }))
})

describe("the headers", () => {
  it.effect("may be Gitea's, Forgejo's or both; an empty one is none", () =>
    Effect.gen(function*() {
      const { receive } = yield* Receiver
      const inbox = yield* Inbox
      const body = "{}"
      const right = signature("gitea", body)
      const given = (headers: Readonly<Record<string, string>>) =>
        receive("gitea", {
          headers: { "content-type": "application/json", ...headers },
          body: Stream.make(Buffer.from(body))
        })
      const gitea = { "x-gitea-event-type": "status", "x-gitea-delivery": "d-1", "x-gitea-signature": right }
      const forgejo = { "x-forgejo-event-type": "status", "x-forgejo-delivery": "d-2", "x-forgejo-signature": right }
      yield* given(gitea)
      yield* given(forgejo)
      yield* given({ ...gitea, ...forgejo })
      yield* given({ ...forgejo, "x-gitea-signature": "", "x-gitea-event-type": "", "x-gitea-delivery": "" })
      const kept = (yield* inbox.due(10)).map(({ event, uuid }) => [event, uuid])
      assert.deepStrictEqual(kept, ["d-1", "d-2", "d-1", "d-2"].map((uuid) => ["status", uuid]))
      for (const headers of [{}, { "x-gitea-signature": "" }, { "x-gitea-signature": "", "x-forgejo-signature": "" }]) {
        assert.containSubset(yield* Effect.flip(given(headers)), { status: 401 })
      }
    }).pipe(Effect.provide(receiving(rotated))))
})
