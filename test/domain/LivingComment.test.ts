import { assert, describe, it } from "@effect/vitest"
import { FastCheck, Schema } from "effect"
import { EpochMillis } from "../../src/base/Time.js"
import { defaultTexts } from "../../src/domain/CommentTexts.js"
import { EventSequence } from "../../src/domain/Ids.js"
import { livingHtml } from "../../src/domain/LivingComment.js"
import type { OrderedEvent } from "../../src/domain/LivingFacts.js"
import { holds, LivingFacts, noFacts, withEvents } from "../../src/domain/LivingFacts.js"
import { stages } from "../../src/domain/Stage.js"
import { StageEvent } from "../../src/domain/StageEvent.js"

const workItem = "ET-2"

const begin = Date.parse("2026-11-24T08:30:00Z")

const at = (minutes: number) => EpochMillis(begin + minutes * 60_000)

const changed = (
  sequence: number,
  minutes: number,
  from: string,
  to: string,
  more: { readonly agent?: string; readonly overruledBy?: string } = {}
): OrderedEvent => ({
  sequence: EventSequence(sequence),
  at: at(minutes),
  event: StageEvent.StageChanged({ workItem, from, to, ...more })
})

const failed = (sequence: number, minutes: number, reason: string): OrderedEvent => ({
  sequence: EventSequence(sequence),
  at: at(minutes),
  event: StageEvent.QualityGateFailed({ workItem, stage: "review", check: "lint", reason })
})

const completed = (sequence: number, minutes: number): OrderedEvent => ({
  sequence: EventSequence(sequence),
  at: at(minutes),
  event: StageEvent.TaskCompleted({ workItem })
})

const shown = (pipeline: ReadonlyArray<string>, ...events: ReadonlyArray<OrderedEvent>) =>
  livingHtml(defaultTexts, withEvents(noFacts, events), pipeline)

const items = (html: string) => Array.from(html.matchAll(/<li>(.*?)<\/li>/g), ([, line]) => line)

const name = FastCheck.oneof(
  FastCheck.constantFrom(...stages),
  FastCheck.constantFrom("<script>alert(1)</script>", "\"'&", "javascript:alert(1)")
)
const event = FastCheck.oneof(
  { weight: 8, arbitrary: FastCheck.record({ from: name, to: name, agent: name }) },
  FastCheck.record({ check: name, reason: FastCheck.string({ maxLength: 5_000 }) }),
  FastCheck.constant({})
)
const history = FastCheck.array(FastCheck.tuple(event, FastCheck.nat(100_000)), { maxLength: 90 }).map((events) =>
  events.map(([told, minutes], index): OrderedEvent => ({
    sequence: EventSequence(index + 1),
    at: at(minutes),
    event: "from" in told
      ? StageEvent.StageChanged({ workItem, ...told })
      : "check" in told
      ? StageEvent.QualityGateFailed({ workItem, stage: "review", ...told })
      : StageEvent.TaskCompleted({ workItem })
  }))
)
const twoOrders = history.chain((events) =>
  FastCheck.tuple(
    FastCheck.constant(events),
    FastCheck.shuffledSubarray(events, { minLength: events.length }),
    FastCheck.array(FastCheck.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 })
  )
)

describe("the living comment", () => {
  it("lists what is done with how long it took, what is present with its agent and since when, and what is to come", () => {
    const html = shown(
      stages,
      changed(1, 0, "created", "analysis", { agent: "analyst" }),
      changed(2, 12, "analysis", "architecture"),
      changed(3, 20, "architecture", "development", { agent: "developer", overruledBy: "lea: it is small" })
    )
    assert.strictEqual(
      html,
      "<p>Progress</p><ul><li>✅ created</li><li>✅ analysis: 12 min</li>" +
        "<li>✅ architecture: 8 min, overruled by lea: it is small</li>" +
        "<li>🔄 development: since 2026-11-24 08:50:00 UTC, developer</li>" +
        "<li>⬜ review</li><li>⬜ testing</li><li>⬜ deploy</li><li>⬜ done</li></ul>"
    )
  })

  it("adds up what a stage took that was entered twice, and says it of one that is to come again", () => {
    const html = shown(
      stages,
      changed(1, 0, "architecture", "development"),
      changed(2, 10, "development", "review"),
      failed(3, 14, "two errors"),
      changed(4, 15, "review", "development"),
      changed(5, 35, "development", "review"),
      changed(6, 36, "review", "development")
    )
    assert.deepStrictEqual(items(html), [
      "✅ architecture",
      "🔄 development: since 2026-11-24 09:06:00 UTC",
      "⬜ review: 6 min so far",
      "⬜ testing",
      "⬜ deploy",
      "⬜ done"
    ])
    assert.isTrue(html.endsWith("<p>⚠️ QG failed at review: lint — two errors · 2026-11-24 08:44:00 UTC</p>"))
  })

  it("lists only what was seen where no pipeline is known, the present stage last", () => {
    const events = [
      changed(1, 0, "lobby", "garden"),
      changed(2, 5, "garden", "attic"),
      changed(3, 6, "attic", "garden")
    ]
    for (const pipeline of [[], stages]) {
      assert.deepStrictEqual(items(shown(pipeline, ...events)), [
        "✅ lobby",
        "✅ attic: 1 min",
        "🔄 garden: since 2026-11-24 08:36:00 UTC"
      ])
    }
  })

  it("says the end, with nothing to come; a task that starts anew begins a new list", () => {
    const run = [
      changed(1, 0, "review", "deploy"),
      failed(2, 1, "red"),
      changed(3, 7, "deploy", "done"),
      completed(4, 7)
    ]
    const ended = shown(stages, ...run)
    assert.isTrue(ended.startsWith("<p>Progress: completed at 2026-11-24 08:37:00 UTC</p>"))
    assert.deepStrictEqual(items(ended), ["✅ review", "✅ deploy: 7 min", "✅ done"])
    assert.strictEqual(
      shown([], ...run, changed(5, 9, "created", "analysis")),
      "<p>Progress</p><ul><li>✅ created</li><li>🔄 analysis: since 2026-11-24 08:39:00 UTC</li></ul>"
    )
  })

  it("is the same bytes for the same events, in whichever order and however often they are added", () => {
    FastCheck.assert(FastCheck.property(twoOrders, ([events, others, sizes]) => {
      const once = withEvents(noFacts, events)
      let facts = noFacts
      for (let from = 0, turn = 0; from < others.length; turn++) {
        const size = sizes[turn % sizes.length] ?? 1
        facts = withEvents(facts, others.slice(from, from + size))
        from += size
      }
      assert.deepStrictEqual(facts, once)
      assert.deepStrictEqual(withEvents(once, events), once)
      assert.strictEqual(livingHtml(defaultTexts, facts, stages), livingHtml(defaultTexts, once, stages))
    }))
  })

  it("holds each failure and each end that was added", () => {
    FastCheck.assert(FastCheck.property(history, (events) => {
      const facts = withEvents(noFacts, events)
      for (const one of events) {
        if (one.event._tag !== "StageChanged") assert.isTrue(holds(facts, one))
      }
    }))
    assert.isFalse(holds(noFacts, completed(1, 0)))
    assert.isFalse(holds(withEvents(noFacts, [completed(1, 0)]), failed(2, 0, "red")))
    assert.isFalse(holds(withEvents(noFacts, [failed(1, 0, "red")]), failed(2, 0, "red")))
  })

  it("is bounded and escaped, and its facts can be stored and read again", () => {
    const json = Schema.parseJson(LivingFacts)
    FastCheck.assert(FastCheck.property(history, (events) => {
      const facts = withEvents(noFacts, events)
      const html = livingHtml(defaultTexts, facts, stages)
      assert.notMatch(html.replace(/<\/?(p|ul|li|br)>/g, ""), /[<>"']/)
      assert.isAtMost(html.length, 30_000)
      const stored = Schema.encodeSync(json)(facts)
      assert.isAtMost(stored.length, 30_000)
      assert.deepStrictEqual(Schema.decodeSync(json)(stored), facts)
    }))
  })
})
