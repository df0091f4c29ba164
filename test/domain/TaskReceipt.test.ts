import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck, Schema } from "effect"
import { commentHtml, plainText, saysSame, tells } from "../../src/domain/Comment.js"
import { defaultTexts } from "../../src/domain/CommentTexts.js"
import { receiptLines, timeWords } from "../../src/domain/ReceiptLines.js"
import { StageEvent } from "../../src/domain/StageEvent.js"
import type { TaskReceipt } from "../../src/domain/TaskReceipt.js"
import { TaskReceipt as Receipt, taskReceipt } from "../../src/domain/TaskReceipt.js"
import type { UsageSum } from "../../src/domain/Usage.js"
import { addUsage, byModel, cleanUsage, microsOf, sumOf, Usage, UsageSum as Sum } from "../../src/domain/Usage.js"

const workItem = "ET-2"
const line = "<p>✅ Task completed! PR merged and deployed.</p>"

// Whole millionths of a dollar, as they are stored.
const cost = FastCheck.integer({ min: 0, max: 1e12 }).map((micros) => micros / 1e6)
const tokens = FastCheck.integer({ min: 0, max: 1e12 })
const usage = FastCheck.record(
  {
    model: FastCheck.constantFrom("opus", "sonnet", "haiku"),
    inputTokens: tokens,
    outputTokens: tokens,
    costUsd: cost
  },
  { requiredKeys: [] }
).filter((one) => Object.keys(one).length > 0)
const manyModels = FastCheck.array(FastCheck.record({ model: FastCheck.integer().map(String), inputTokens: tokens }), {
  maxLength: 60
})

const shuffled = <A>(items: FastCheck.Arbitrary<A>) =>
  FastCheck.array(items, { maxLength: 12 }).chain((some) =>
    FastCheck.tuple(FastCheck.constant(some), FastCheck.shuffledSubarray(some, { minLength: some.length }))
  )

const receipt = (parts: Partial<TaskReceipt>): TaskReceipt => ({ stages: [], pullRequests: [], usage: [], ...parts })

describe("sums of usage", () => {
  it("do not depend on the order, in all and by model", () => {
    FastCheck.assert(FastCheck.property(shuffled(usage), ([one, other]) => {
      assert.deepStrictEqual(sumOf(one), sumOf(other))
      assert.deepStrictEqual(byModel(one), byModel(other))
      assert.deepStrictEqual(taskReceipt(receipt({ usage: one })), taskReceipt(receipt({ usage: other })))
    }))
  })

  it("lose no value: all of them is the sum of the models, to the millionth of a dollar", () => {
    FastCheck.assert(FastCheck.property(FastCheck.array(usage), (usages) => {
      assert.deepStrictEqual(sumOf(byModel(usages)), sumOf(usages))
      const micros = usages.reduce((sum, { costUsd = 0 }) => sum + microsOf(costUsd), 0)
      assert.strictEqual(microsOf(sumOf(usages).costUsd ?? 0), micros)
    }))
    FastCheck.assert(FastCheck.property(manyModels, (usages) => {
      const shown = taskReceipt(receipt({ usage: usages })).usage
      assert.isAtMost(shown.length, 20)
      assert.deepStrictEqual(sumOf(shown), sumOf(usages))
    }))
  })

  it("can be stored and read again, however large they are, and with models of which nothing is known", () => {
    const isSum = Schema.is(Sum)
    const large: UsageSum = { model: "m", inputTokens: Number.MAX_SAFE_INTEGER, costUsd: 9_007_199_254 }
    assert.isTrue(isSum(addUsage(large, large)))
    const named = Array.from({ length: 30 }, (_, n) => ({ model: `model ${n}` }))
    assert.isTrue(Schema.is(Receipt)(taskReceipt(receipt({ usage: named }))))
  })

  it("a usage that is none is refused by the field, with what would be right", () => {
    const decode = Schema.decodeUnknownEither(Usage)
    const refused = [
      [{}, "expected at least one of model, inputTokens, outputTokens, costUsd"],
      [{ inputTokens: -1 }, "-1 is not right: expected a whole number of tokens from 0 to 1000000000000"],
      [{ inputTokens: 1.5 }, "1.5 is not right"],
      [{ outputTokens: 1e13 }, "10000000000000 is not right"],
      [{ outputTokens: "7" }, "\"7\" is not right"],
      [{ costUsd: Number.NaN }, "NaN is not right: expected a number of US dollars from 0 to 1000000"],
      [{ costUsd: Infinity }, "Infinity is not right"],
      [{ costUsd: 1e7 }, "10000000 is not right"],
      [{ model: "" }, "\"\" is not a model's name: expected 1 to 100 characters"],
      [{ model: "\u0007\n" }, "is not a model's name"],
      [{ model: "m".repeat(101) }, "is not a model's name"]
    ] as const
    for (const [given, words] of refused) {
      const result = decode(given)
      assert.isTrue(Either.isLeft(result), JSON.stringify(given))
      assert.include(String(Either.getOrUndefined(Either.flip(result))), words)
    }
    assert.deepStrictEqual(cleanUsage({ model: " son\tnet\u0007 ", costUsd: 0 }), { model: "son net", costUsd: 0 })
  })
})

describe("a receipt", () => {
  it("says times as people do", () => {
    const times = [
      [0, "0 s"],
      [59, "59 s"],
      [60, "1 min"],
      [125, "2 min 5 s"],
      [601, "10 min"],
      [7_799, "2 h 9 min"],
      [3_600, "1 h"],
      [86_400 * 3 + 3_600 * 4 + 59, "3 d 4 h"]
    ] as const
    assert.deepStrictEqual(times.map(([seconds]) => timeWords(seconds)), times.map(([, words]) => words))
  })

  it("says nothing of what is not known, and of nothing nothing", () => {
    const idle = { stage: "analysis", seconds: 0, attempts: 1, failedGates: 0 }
    assert.deepStrictEqual(receiptLines(receipt({ stages: [idle] })), [])
    assert.deepStrictEqual(receiptLines(receipt({ usage: [{ costUsd: 0 }] })), ["Usage: $0.00"])
    assert.deepStrictEqual(receiptLines(receipt({ usage: [{ model: "a" }, { model: "b", costUsd: 0.00042 }] })), [
      "Usage: $0.00042 (a; b, $0.00042)"
    ])
    assert.deepStrictEqual(receiptLines(receipt({ usage: [{ model: "a" }, { model: "b" }] })), ["Usage: a; b"])
  })

  it("stands below the line that tells the end, which stays as it is", () => {
    assert.strictEqual(commentHtml(defaultTexts, StageEvent.TaskCompleted({ workItem })), line)
    const completed = StageEvent.TaskCompleted({
      workItem,
      receipt: receipt({
        stages: [
          { stage: "analysis", seconds: 1_260, attempts: 1, failedGates: 0 },
          { stage: "development", seconds: 7_800, attempts: 2, failedGates: 3 }
        ],
        pullRequests: ["acme/widgets#12", "acme/widgets#15"],
        usage: [{ model: "sonnet", inputTokens: 1_204_000, outputTokens: 8_150, costUsd: 4.5 }, { costUsd: 0.25 }]
      })
    })
    assert.strictEqual(
      commentHtml(defaultTexts, completed),
      `${line}<ul><li>Time: 2 h 31 min (analysis 21 min, development 2 h 10 min)</li>` +
        "<li>Attempts: development 2</li><li>Failed gates: 3 (development 3)</li>" +
        "<li>Pull requests: acme/widgets#12, acme/widgets#15</li>" +
        "<li>Usage: 1,204,000 tokens in, 8,150 tokens out, $4.75 " +
        "(sonnet, 1,204,000 tokens in, 8,150 tokens out, $4.50; other models, $0.25)</li></ul>"
    )
    assert.strictEqual(
      commentHtml(defaultTexts, StageEvent.TaskCompleted({ workItem }), [{ model: "opus", inputTokens: 1_000 }]),
      `${line}<ul><li>Usage: 1,000 tokens in, opus</li></ul>`
    )
  })

  it("has what events have used beside what reports did, by model, and the end's own usage once", () => {
    const sonnet = { model: "sonnet", inputTokens: 1_000, costUsd: 1 }
    const completed = StageEvent.TaskCompleted({ workItem, usage: sonnet, receipt: receipt({ usage: [sonnet] }) })
    assert.strictEqual(
      commentHtml(defaultTexts, completed, [sonnet, { model: "opus", outputTokens: 5 }]),
      `${line}<ul><li>Usage: 2,000 tokens in, 5 tokens out, $2.00 ` +
        "(sonnet, 2,000 tokens in, $2.00; opus, 5 tokens out)</li></ul>"
    )
    const changed = StageEvent.StageChanged({ workItem, from: "a", to: "b" })
    assert.strictEqual(commentHtml(defaultTexts, changed, [sonnet]), commentHtml(defaultTexts, changed))
  })

  it("is escaped and bounded, whatever its names are, and tells no other event", () => {
    const hostile = "<script>alert(\"1\")</script>&</li></ul>"
    const stages = Array.from({ length: 100 }, (_, n) => ({
      stage: `${n}${hostile.repeat(5)}`,
      seconds: 60,
      attempts: 2,
      failedGates: 1
    }))
    const html = commentHtml(
      defaultTexts,
      StageEvent.TaskCompleted({
        workItem,
        receipt: receipt({
          stages,
          pullRequests: [`${hostile}#1`],
          usage: [{ model: "⚠️ QG failed at review: lint — 2 errors", costUsd: 1 }, { model: hostile, inputTokens: 1 }]
        })
      })
    )
    assert.notInclude(html.replace(line, "").replace(/<\/?(ul|li)>/g, ""), "<")
    assert.isBelow(html.length, 20_000)
    assert.include(html, "and 90 more")
    const failed = StageEvent.QualityGateFailed({ workItem, stage: "review", check: "lint", reason: "2 errors" })
    const occurredAt = Schema.decodeSync(Schema.DateTimeUtc)("2026-11-24T08:30:00Z")
    assert.isFalse(tells(defaultTexts, html, { event: failed, occurredAt }))
  })

  it("leaves the comment known as ours: by its line, and as an editor of Plane writes lists", () => {
    const event = StageEvent.TaskCompleted({ workItem })
    const used = (costUsd: number) => [{ costUsd, model: "a & b" }]
    const occurredAt = Schema.decodeSync(Schema.DateTimeUtc)("2026-11-24T08:30:00Z")
    const html = commentHtml(defaultTexts, event, used(1))
    const edited = html.replaceAll("<li>", "<li class=\"x\"><p class=\"y\">").replaceAll("</li>", "</p></li>")
    for (const one of [html, edited]) {
      assert.isTrue(tells(defaultTexts, one, { event, occurredAt }))
      assert.isTrue(saysSame(html, one))
      assert.strictEqual(
        plainText(one),
        "✅ Task completed! PR merged and deployed.; Usage: $1.00, a & b"
      )
    }
    assert.isFalse(saysSame(html, commentHtml(defaultTexts, event, used(2))))
  })
})
