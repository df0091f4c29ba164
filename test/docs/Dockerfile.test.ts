import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { createServer } from "node:http"
import { fileURLToPath } from "node:url"
import { environmentOf, healthCheckOf, permittedBy, stagesOf, stepIn } from "../docker/Dockerfile.js"
import { freePort } from "../support/FreePort.js"

const textOf = (path: string) => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), "utf8")
const stages = stagesOf(textOf("Dockerfile"))
const image = stages.at(-1) ?? assert.fail("the Dockerfile has no stage")

const check = healthCheckOf(image)

/** What the container's health check says of a program that answers so. */
const judged = (body: string, status = 200) =>
  Effect.gen(function*() {
    const server = yield* Effect.acquireRelease(
      Effect.sync(() =>
        createServer((request, response) => response.writeHead(request.url === "/health" ? status : 404).end(body))
      ),
      (server) => Effect.sync(() => server.close())
    )
    yield* Effect.async<void>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.void))
    })
    const address = server.address()
    const port = typeof address === "object" && address !== null ? String(address.port) : ""
    return yield* answered(port)
  })

/** The exit code of the health check in a container whose program listens there. */
const answered = (port: string) =>
  Effect.async<number | null>((resume) => {
    const [, ...args] = check.command
    spawn(process.execPath, args, { env: { ORCH_PORT: port }, stdio: "ignore" })
      .once("exit", (code) => resume(Effect.succeed(code)))
  })

describe("the Dockerfile", () => {
  it.scopedLive("asks whether the program lives, at its port", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* judged(`{"live":true,"status":"ok"}`), 0)
      assert.strictEqual(yield* judged(`{"live":true,"status":"degraded"}`), 0)
      assert.strictEqual(yield* judged(`{"live":false}`), 1)
      assert.strictEqual(yield* judged("<html>"), 1)
      assert.strictEqual(yield* answered(String(yield* freePort)), 1)
      assert.strictEqual(check.command[0], "node")
      assert.include(check.command.join(" "), `|| ${stepIn(image, "EXPOSE").rest})`)
      assert.strictEqual(check.timeout, 5000)
    }))

  it("takes nothing into the build but what it copies, and no secret", () => {
    const copied = stages.flatMap(({ steps }) =>
      steps.flatMap(({ flags, keyword, rest }) =>
        keyword === "COPY" && flags["from"] === undefined ? rest.split(" ").slice(0, -1) : []
      )
    )
    const { has, names } = permittedBy(textOf(".dockerignore"))
    assert.deepStrictEqual([...names].sort(), copied.sort())
    for (const name of [".env", "data/plane-sync.sqlite", "node_modules/effect/package.json", ".git/config"]) {
      assert.isFalse(has(name), name)
    }
    for (const name of ["package.json", "src/main.ts", "page/build.js"]) assert.isTrue(has(name), name)
    for (const name of names.filter((name) => !["page", "src"].includes(name))) assert.isNotEmpty(textOf(name))
  })

  it("builds in one stage, and runs in a slim one as a user that is not root, with its data in a volume", () => {
    assert.deepStrictEqual(stages.map(({ name }) => name), ["build", ""])
    assert.match(image.image, /-slim$/)
    assert.strictEqual(stepIn(image, "USER").rest, "node")
    const last = image.steps.map(({ keyword }) => keyword)
    assert.isAbove(last.indexOf("USER"), last.lastIndexOf("RUN"))
    const volume = stepIn(image, "VOLUME").rest
    assert.match(environmentOf(image)["ORCH_DATABASE_URL"] ?? "", new RegExp(`^${volume}/[^/]+$`))
  })

  it("is read by the tests and by npm run docker, which refuse what they do not know", () => {
    assert.throws(() => stagesOf("FROM node\nADD https://x.example /x"), /"ADD .*expected a line that begins with FROM/)
    assert.throws(() => stagesOf("RUN x"), /expected FROM/)
    assert.throws(() => permittedBy("*\n!src\n*.md"), /"\*\.md": expected/)
    assert.throws(() => permittedBy("node_modules"), /"node_modules": expected/)
  })
})
