import { assert, describe, it } from "@effect/vitest"
import { countFindings } from "../../demo/Judge.js"
import type { Turn } from "./LivingJudge.js"
import { judgeLiving } from "./LivingJudge.js"

const entered = (from: string, to: string, agent: string): Turn => ({ _tag: "Entered", from, to, agent })
const failure = "⚠️ QG failed at review: lint — 1 < 2"
const end = "✅ Task completed! PR merged and deployed."

const turns: ReadonlyArray<Turn> = [
  entered("created", "analysis", "agent 1"),
  entered("analysis", "review", "agent 2"),
  { _tag: "Failed", line: failure },
  entered("review", "analysis", "agent 3")
]
const living = "<p>Progress</p><ul><li>✅ created</li><li>✅ review: 12 min</li>" +
  "<li>🔄 analysis: since 2026-11-24 08:50:00 UTC, agent 3</li></ul>" +
  "<p>⚠️ QG failed at review: lint — 1 &lt; 2 · 2026-11-24 08:44:00 UTC</p>" +
  "<p>Links: <a href=\"https://ci.example.com\">Log</a></p>"
const own = "<p>⚠️ QG failed at review: lint — 1 &lt; 2</p>"

const judged = (comments: ReadonlyArray<string>, of = turns) =>
  judgeLiving({ workItem: "ET-1", state: "In Progress", turns: of }, { comments, state: "In Progress" })

describe("judgeLiving", () => {
  it("finds nothing where the one comment tells all, and the failure has its own", () => {
    assert.strictEqual(countFindings(judged([living, own])), 0)
    assert.strictEqual(countFindings(judged([], [])), 0)
  })

  it("finds a comment that is behind, or tells what never was", () => {
    assert.lengthOf(judged([living, own], [...turns, entered("analysis", "deploy", "agent 4")]).lost, 1)
    assert.lengthOf(judged([living.replace("agent 3", "agent 2"), own]).lost, 1)
    assert.lengthOf(judged([living.replace("<li>✅ created</li>", ""), own]).lost, 1)
    assert.lengthOf(judged([living.replace("1 &lt; 2", "1 < 2"), own]).lost, 1)
    assert.lengthOf(judged([own]).lost, 1)
  })

  it("finds a second living comment, and a failure that is told twice or not at all", () => {
    assert.lengthOf(judged([living, own, living]).doubled, 1)
    assert.lengthOf(judged([living, own, own]).doubled, 1)
    assert.deepStrictEqual(judged([living]).lost, [`ET-1: ${failure}`])
  })

  it("knows that the end closes a run, and that a stage after it begins another one", () => {
    const all = [...turns, { _tag: "Completed", line: end } as const]
    const completed = living.replace("Progress", "Progress: completed at 2026-11-24 09:00:00 UTC")
      .replace("🔄 analysis: since 2026-11-24 08:50:00 UTC, agent 3", "✅ analysis: 22 min")
    assert.strictEqual(countFindings(judged([completed, own, `<p>${end}</p>`], all)), 0)
    const anew =
      "<p>Progress</p><ul><li>✅ done: 2 s</li><li>🔄 review: since 2026-11-24 09:10:00 UTC, agent 5</li></ul>"
    assert.strictEqual(
      countFindings(judged([anew, own, `<p>${end}</p>`], [...all, entered("done", "review", "agent 5")])),
      0
    )
  })

  it("knows that the comment has the last 30 changes of stages", () => {
    const many = Array.from({ length: 31 }, (_, n) => entered(`s${n}`, `s${n + 1}`, `agent ${n}`))
    const items = Array.from({ length: 30 }, (_, n) => `<li>✅ s${n + 1}: 2 s</li>`).join("")
    const cut = `<p>Progress</p><ul>${items}<li>🔄 s31: since 2026-11-24 09:10:00 UTC, agent 30</li></ul>` +
      "<p>Older changes of stages are left out.</p>"
    assert.strictEqual(countFindings(judged([cut], many)), 0)
  })
})
