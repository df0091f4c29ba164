import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import type { Kill } from "../../src/simulator/Kills.js"
import * as Kills from "../../src/simulator/Kills.js"

const child = () => {
  const started = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" })
  const ended = new Promise<string | null>((resolve) => started.on("exit", (_, signal) => resolve(signal)))
  return { pid: started.pid ?? -1, ended }
}
const all = () => true

describe("Kills", () => {
  it("kills once, at the n-th matching request that comes to the moment, and says at which", async () => {
    const { ended, pid } = child()
    const kills = Kills.make(() => 42)
    kills.order({ pid, when: "applied", match: { kind: "comments" }, nth: 2 })
    kills.reached("arrival", 1, all)
    kills.reached("applied", 2, () => false)
    kills.reached("applied", 3, all)
    assert.isUndefined(kills.end())
    const order: Kill = { pid, when: "applied", nth: 2 }
    kills.order(order)
    kills.reached("applied", 4, all)
    kills.reached("applied", 5, all)
    kills.reached("applied", 6, all)
    assert.strictEqual(await ended, "SIGKILL")
    assert.deepStrictEqual(kills.end(), { sequence: 5, at: 42 })
  })

  it("does nothing late for an order that was taken back", async () => {
    const { ended, pid } = child()
    const kills = Kills.make(() => 42)
    kills.order({ pid, when: "arrival", afterMillis: 20 })
    kills.reached("arrival", 1, all)
    assert.isUndefined(kills.end())
    await new Promise((resolve) => setTimeout(resolve, 60))
    assert.isUndefined(kills.end())
    process.kill(pid, "SIGTERM")
    assert.strictEqual(await ended, "SIGTERM")
  })
})
