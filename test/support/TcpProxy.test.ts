import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { once } from "node:events"
import type { Socket } from "node:net"
import { connect, createServer } from "node:net"
import { setTimeout } from "node:timers/promises"
import { freePort } from "./FreePort.js"
import { makeTcpProxy } from "./TcpProxy.js"

/** Answers each text with its name and the text. */
const named = (name: string) =>
  Effect.gen(function*() {
    const port = yield* freePort
    yield* Effect.acquireRelease(
      Effect.promise(async () => {
        const server = createServer((socket) => {
          socket.on("error", () => undefined).on("data", (data) => socket.write(`${name} ${data.toString()}`))
        })
        await once(server.listen(port, "127.0.0.1"), "listening")
        return server
      }),
      (server) => Effect.sync(() => server.close())
    )
    return port
  })

const opened = (port: number) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const socket = connect(port, "127.0.0.1").on("error", () => undefined)
      await once(socket, "connect")
      return socket
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )

const answer = (socket: Socket) => Effect.promise(async () => String((await once(socket, "data"))[0]))

const ask = (socket: Socket, text: string) => Effect.zipRight(Effect.sync(() => socket.write(text)), answer(socket))

// `once` would fail with the error before.
const closed = (socket: Socket) => new Promise<void>((resolve) => socket.once("close", () => resolve()))

const silent = (socket: Socket) =>
  Effect.promise(async () => {
    const heard = await Promise.race([once(socket, "data"), setTimeout(100)])
    assert.isUndefined(heard)
    assert.isFalse(socket.destroyed)
  })

describe("the network between", () => {
  it.scopedLive("hangs, passes on what came meanwhile, is cut, refuses, and leads elsewhere", () =>
    Effect.gen(function*() {
      const proxy = yield* makeTcpProxy(yield* named("one"))
      const first = yield* opened(proxy.port)
      assert.strictEqual(yield* ask(first, "a"), "one a")

      yield* proxy.hang
      const second = yield* opened(proxy.port)
      first.write("b")
      second.write("c")
      yield* Effect.all([silent(first), silent(second)], { concurrency: 2 })
      const answers = yield* Effect.fork(Effect.all([answer(first), answer(second)], { concurrency: 2 }))
      yield* proxy.pass
      assert.deepStrictEqual(yield* answers, ["one b", "one c"])

      const ends = yield* Effect.fork(Effect.promise(() => Promise.all([closed(first), closed(second)])))
      yield* Effect.yieldNow()
      assert.strictEqual(yield* proxy.cut, 2)
      yield* ends

      const third = yield* opened(proxy.port)
      assert.strictEqual(yield* ask(third, "d"), "one d")
      yield* proxy.refuse
      yield* Effect.promise(async () => {
        assert.include(String(await once(connect(proxy.port, "127.0.0.1"), "error")), "ECONNREFUSED")
      })
      assert.strictEqual(yield* ask(third, "e"), "one e")

      yield* proxy.to(yield* named("two"))
      yield* proxy.pass
      const fourth = yield* opened(proxy.port)
      assert.strictEqual(yield* ask(fourth, "f"), "two f")
      assert.strictEqual(yield* ask(third, "g"), "one g")
    }))
})
