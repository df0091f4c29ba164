import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { post, request } from "../http/Server.js"

const root = fileURLToPath(new URL("../../", import.meta.url))

/** How wide a terminal shows a line. Whether an emoji that is a sign takes one column or two depends on it: two. */
const widthOf = (line: string) =>
  Array.from(line.replace(/\uFE0F/gu, "")).reduce(
    (sum, one) => sum + (/[\u{1F000}-\u{1FFFF}✅⚠]/u.test(one) ? 2 : 1),
    0
  )

describe("npm run demo -- --keep", () => {
  it.scopedLive("fits 80 columns, shows all of Plane, and leaves running what it names", () =>
    Effect.gen(function*() {
      const child = yield* Effect.acquireRelease(
        Effect.sync(() =>
          spawn(process.execPath, ["--import", "tsx", "demo/main.ts", "--keep"], {
            cwd: root,
            stdio: ["ignore", "pipe", "pipe"],
            env: { ...process.env, COLUMNS: "80" }
          })
        ),
        (child) => Effect.sync(() => child.kill("SIGKILL"))
      )
      let out = ""
      const errors: Array<Buffer> = []
      child.stderr.on("data", (chunk: Buffer) => errors.push(chunk))
      yield* Effect.async<void>((resume) => {
        child.stdout.setEncoding("utf8").on("data", (text: string) => {
          out += text
          if (out.includes("X-API-Key: ")) resume(Effect.void)
        })
        child.once("exit", () => resume(Effect.void))
      })
      assert.strictEqual(Buffer.concat(errors).toString(), "", out)
      for (const line of out.split("\n")) assert.isAtMost(widthOf(line), 80, line)
      assert.include(out, "✔ all 27 lines stand in Plane once and in order; all is Done")
      assert.match(
        out.replace(/\s+/g, " "),
        /A publish \(.*?\) took \d+\.\d ms in the median of 8, by a process that was warm/
      )
      // One task asks people, who answer in Plane. Its living comment shows how it goes on, and a receipt ends it.
      const story = [
        / TC-3   ▌ Progress\n.*✅ created\n.*🔄 analysis: /,
        / TC-3   ▌ ❓ analyst asks: Warn of wet trails, too\?/,
        / TC-3     olga in Plane: \/answer Only of closed ones/,
        / TC-3   ▌ ✅ \/answer \(olga\): analyst is launched again/,
        / TC-3   ▌ 🙋 release waits for a person: write \/approve/,
        / TC-3     olga in Plane: \/approve/,
        / TC-3   ▌ ✅ \/approve \(olga\): release is approved/,
        / TC-3   ✎ Progress: completed at [^⬜]*✅ done\n/,
        / TC-3   ▌ ✅ Task completed!.*\n.*• Time: [^✅]*• Usage: 41,200 tokens in, 2,350 tokens out, \$0\.16, sonnet/
      ]
      const places = story.map((part) => out.search(part))
      assert.isAtLeast(Math.min(...places), 0, `${String(places)}\n${out}`)
      assert.deepStrictEqual(places, places.toSorted((one, other) => one - other), out)
      // Who is asked is assigned, and in the end taken out again.
      assert.match(
        out,
        / TC-3   ■ assigned: olga\n[^]* TC-3   ■ assigned: nobody any more\n(?![^]* TC-3   ■ assigned: )/
      )
      // Made once, and then only edited: on a slow machine once more while the task goes on.
      assert.lengthOf(out.match(/ ▌ Progress/g) ?? [], 1, out)
      assert.match(out, / ▌ Progress[^]* ✎ Progress/)
      assert.include(out, "To try next:")

      const addresses = out.match(/^ {4}http\S+$/gm)?.map((line) => line.trim()) ?? []
      assert.lengthOf(addresses, 4)
      for (const address of addresses) assert.strictEqual((yield* request(address)).status, 200, address)
      const [, service = ""] = /(http\S+)\/health/.exec(out) ?? []
      const [, event = ""] = /-d '(.*?)'/s.exec(out) ?? []
      assert.strictEqual((yield* post(service, event)).status, 202)
      const [, workspace = "", project = "", comments = ""] =
        /P=(http\S+)\n +P=\$P(\S+)\n +curl -s \$P(\S+)/.exec(out) ?? []
      const [, key = ""] = /X-API-Key: ([^']+)'/.exec(out) ?? []
      const shown = yield* request(`${workspace}${project}${comments}`, { headers: { "x-api-key": key } })
      assert.include(JSON.stringify(shown.body), "Stage: created → analysis")

      child.kill("SIGINT")
      const code = yield* Effect.async<number | null>((resume) => {
        if (child.exitCode !== null) resume(Effect.succeed(child.exitCode))
        child.once("exit", (code) => resume(Effect.succeed(code)))
      })
      assert.include([0, 130], code)
    }), 90_000)
})
