import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { createServer } from "node:http"
import { fileURLToPath } from "node:url"

const textOf = (path: string) => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), "utf8")
const dockerfile = textOf("Dockerfile")

const [, command = ""] = /^HEALTHCHECK .*\\\n +CMD (\[.*\])$/m.exec(dockerfile) ?? []
const [, script = ""] = Schema.decodeSync(Schema.parseJson(Schema.Array(Schema.String)))(command).slice(1)

const health = "http://127.0.0.1:8500/health"

/** What the container's health check says of a program that answers so. */
const judged = (body: string) =>
  Effect.gen(function*() {
    const server = yield* Effect.acquireRelease(
      Effect.sync(() => createServer((_, response) => response.end(body))),
      (server) => Effect.sync(() => server.close())
    )
    yield* Effect.async<void>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.void))
    })
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    return yield* Effect.async<number | null>((resume) => {
      spawn(process.execPath, ["-e", script.replace(health, `http://127.0.0.1:${port}/health`)], { stdio: "ignore" })
        .once("exit", (code) => resume(Effect.succeed(code)))
    })
  })

describe("the Dockerfile", () => {
  it.scopedLive("asks whether the program lives", () =>
    Effect.gen(function*() {
      assert.include(script, health)
      assert.strictEqual(yield* judged(`{"live":true,"status":"degraded"}`), 0)
      assert.strictEqual(yield* judged(`{"live":false}`), 1)
      assert.strictEqual(yield* judged("<html>"), 1)
    }))

  it("takes nothing into the build but what it copies, and no secret", () => {
    const copied = Array.from(dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm), ([, names = ""]) => names.split(" "))
    const permitted = textOf(".dockerignore").split("\n").flatMap((line) => line.startsWith("!") ? [line.slice(1)] : [])
    assert.deepStrictEqual([...permitted].sort(), copied.flat().sort())
    assert.isFalse(permitted.some((name) => name.startsWith(".env")))
    for (const name of permitted.filter((name) => !["page", "src"].includes(name))) assert.isNotEmpty(textOf(name))
  })

  it("runs as a user that is not root, and keeps its data in a volume", () => {
    assert.match(dockerfile, /^USER node$/m)
    assert.match(dockerfile, /^VOLUME \/data$/m)
    assert.include(dockerfile, "ORCH_DATABASE_URL=/data/")
  })
})
