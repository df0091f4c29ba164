import { Effect } from "effect"
import { readFileSync } from "node:fs"
import type { Attack } from "../Attack.js"
import { Target } from "../Target.js"
import { delivery, must, publishing, secret, send } from "../Wire.js"

/** What a terminal would obey. A log line may end. */
const obeyed = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/

const controls: Attack = {
  row: 48,
  name: "controls",
  shows: "control characters in a reason or a header reach no terminal, by no command and no log line",
  inCi: true,
  run: Effect.gen(function*() {
    const { command, serve } = yield* Target
    const { file, log, port } = yield* serve({ ORCH_GITEA_WEBHOOK_SECRET: secret })
    const reason = "lint \u009b2J \u202egnp.exe\u202c \u001b]0;title\u0007 \u009d52;c;eA== end"
    const event = JSON.stringify({
      type: "quality_gate_failed",
      workItem: "ET-1",
      stage: reason,
      check: reason,
      reason
    })
    const published = yield* send({ port }, publishing(event))
    yield* must(published.status === 202, `an event was answered ${published.text}`)
    const type = delivery("{}", { event: "odd?2J" })
    type[type.indexOf("?2J")] = 0x9b
    yield* send({ port }, type)
    for (const args of [["events"], ["events", "--json"], ["dead", "list"], ["dead", "show", "1"], ["task", "list"]]) {
      const { err, out } = yield* command(args, { ORCH_DATABASE_URL: file })
      const [raw] = obeyed.exec(out + err) ?? []
      yield* must(raw === undefined, `${args.join(" ")} printed ${JSON.stringify(raw)}`)
      if (args[0] === "events") yield* must(out.includes("\\u009b2J"), `${args.join(" ")} printed ${out}`)
    }
    const lines = readFileSync(log, "utf8")
    const [raw] = obeyed.exec(lines) ?? []
    yield* must(raw === undefined, `the log has ${JSON.stringify(raw)}`)
    yield* must(lines.includes("odd\\u009b2J"), `the log does not tell of the hook: ${lines}`)
  })
}

/** What outsiders write, and people see. */
export const textAttacks: ReadonlyArray<Attack> = [controls]
