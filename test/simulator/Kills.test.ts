import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import type { Kill } from "../../src/simulator/Kills.js"
import * as Kills from "../../src/simulator/Kills.js"
import { ClockMillis } from "../../src/simulator/Moment.js"

const child = () => {
  const started = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" })
  const ended = new Promise<string | null>((resolve) => started.on("exit", (_, signal) => resolve(signal)))
  return { pid: started.pid ?? -1, ended }
}
const all = () => true

describe("Kills", () => {
  it("kills once, at the n-th matching request that comes to the moment, and says at which", async () => {
    const { ended, pid } = child()
    const kills = Kills.make(() => ClockMillis(42))
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
    assert.deepStrictEqual(kills.end(), { sequence: 5, at: ClockMillis(42) })
  })

  it("waits for the first write to a file after that moment", async () => {
    const file = join(mkdtempSync(join(tmpdir(), "plane-sync-kills-")), "log")
    writeFileSync(file, "")
    const { ended, pid } = child()
    const kills = Kills.make(() => ClockMillis(42))
    kills.order({ pid, when: "answered", written: file })
    appendFileSync(file, "before")
    await new Promise((resolve) => setTimeout(resolve, 60))
    kills.reached("answered", 1, all)
    await new Promise((resolve) => setTimeout(resolve, 60))
    process.kill(pid, 0)
    appendFileSync(file, "after")
    assert.strictEqual(await ended, "SIGKILL")
    assert.deepStrictEqual(kills.end(), { sequence: 1, at: ClockMillis(42) })
    assert.isUndefined(kills.end())
    rmSync(dirname(file), { recursive: true })
  })

  it("does nothing late for an order that was taken back", async () => {
    const { ended, pid } = child()
    const kills = Kills.make(() => ClockMillis(42))
    kills.order({ pid, when: "arrival", afterMillis: 20 })
    kills.reached("arrival", 1, all)
    assert.isUndefined(kills.end())
    await new Promise((resolve) => setTimeout(resolve, 60))
    assert.isUndefined(kills.end())
    process.kill(pid, "SIGTERM")
    assert.strictEqual(await ended, "SIGTERM")
  })
})
