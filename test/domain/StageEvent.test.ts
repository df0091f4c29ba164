import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Either, FastCheck, Random, Schema } from "effect"
import { validate, version } from "uuid"
import { EpochMillis } from "../../src/base/Time.js"
import { uuidV7Of } from "../../src/base/UuidV7.js"
import { contentOf, StageEvent, StageEventJson } from "../../src/domain/StageEvent.js"

const key = FastCheck.oneof(
  { weight: 5, arbitrary: FastCheck.stringMatching(/^[A-Z]{1,12}-0{0,2}[1-9][0-9]{0,6}$/) },
  FastCheck.string()
)
// Characters that every text of an event keeps as they are.
const text = FastCheck.stringMatching(/^[ -~]{0,40}$/)
const moment = FastCheck.option(
  FastCheck.oneof(
    FastCheck.date({ noInvalidDate: true }),
    FastCheck.date({ min: new Date("9999-12-31T00:00:00Z"), max: new Date("+010000-01-02"), noInvalidDate: true })
  ).map((date) => DateTime.unsafeFromDate(date)),
  { nil: undefined }
)
const event: FastCheck.Arbitrary<StageEvent> = FastCheck.oneof(
  FastCheck.record({
    workItem: key,
    from: text,
    to: text,
    agent: FastCheck.option(text, { nil: undefined }),
    overruledBy: FastCheck.option(text, { nil: undefined }),
    occurredAt: moment
  }).map((parts) => StageEvent.StageChanged(parts)),
  FastCheck.record({
    workItem: key,
    stage: text,
    check: text,
    reason: text,
    sameAs: FastCheck.option(text, { nil: undefined }),
    occurredAt: moment
  })
    .map((parts) => StageEvent.QualityGateFailed(parts)),
  FastCheck.record({ workItem: key, occurredAt: moment }).map((parts) => StageEvent.TaskCompleted(parts)),
  FastCheck.record({
    workItem: key,
    question: text.filter((question) => question.trim() !== ""),
    agent: FastCheck.option(text, { nil: undefined }),
    occurredAt: moment
  }).map((parts) => StageEvent.QuestionAsked(parts))
)

const encode = Schema.encodeEither(StageEventJson)
const isStageEvent = Schema.is(StageEventJson)

describe("a stage event", () => {
  it("has the same content as its JSON, in the same order, and none if it has no JSON", () => {
    FastCheck.assert(
      FastCheck.property(event, (event) => {
        const encoded = encode(event)
        assert.strictEqual(isStageEvent(event), Either.isRight(encoded))
        if (Either.isRight(encoded)) {
          assert.strictEqual(JSON.stringify(contentOf(event)), JSON.stringify(encoded.right))
        }
      }),
      { numRuns: 500 }
    )
  })

  it("of a stage that was overruled is read back with who did it and why, in one line, and bounded", () => {
    const decode = Schema.decodeUnknownSync(StageEventJson)
    const changed = { workItem: "ET-2", from: "deploy", to: "done" }
    const stored = (overruledBy: string) =>
      decode(JSON.parse(JSON.stringify(contentOf(StageEvent.StageChanged({ ...changed, overruledBy })))))
    assert.deepInclude(stored("lea: merged\nby <hand>"), { ...changed, overruledBy: "lea: merged by <hand>" })
    assert.deepInclude(stored("x".repeat(9_000)), { overruledBy: `${"x".repeat(4_000)}… (cut)` })
    // As an earlier version has stored it.
    assert.notProperty(decode({ type: "stage_changed", ...changed }), "overruledBy")
  })

  it("that asks has a question of at least one letter, bounded", () => {
    const refused = Schema.decodeUnknownEither(StageEventJson)({
      type: "question_asked",
      workItem: "ET-2",
      question: " "
    })
    assert.include(String(refused), "a question needs words")
    const long = contentOf(StageEvent.QuestionAsked({ workItem: "ET-2", question: "x".repeat(9_000) }))
    assert.deepInclude(long, { question: `${"x".repeat(4_000)}… (cut)` })
  })

  it("has no moment outside of the years that four digits can write", () => {
    for (const year of ["-000001", "+010000"]) {
      const error = encode(StageEvent.TaskCompleted({
        workItem: "ET-2",
        occurredAt: DateTime.unsafeMake(`${year}-01-01T00:00:00Z`)
      }))
      assert.include(String(error), "is not an instant of the years 0 to 9999")
    }
  })
})

describe("an id that is made", () => {
  it.effect("is a UUID v7, in the order of its moments, and not the same twice", () =>
    Effect.gen(function*() {
      const ids = yield* Effect.forEach(Array.from({ length: 2_000 }, (_, index) => index), (index) =>
        uuidV7Of(EpochMillis(1_764_000_000_000 + Math.floor(index / 100))))
      assert.isTrue(ids.every((id) =>
        validate(id) && version(id) === 7
      ))
      assert.strictEqual(new Set(ids.map((id) => id.slice(14))).size, ids.length)
      const moments = ids.map((id) => id.slice(0, 13))
      assert.deepStrictEqual(moments, [...moments].sort())
    }).pipe(Effect.withRandom(Random.make("ids"))))

  it.effect("has every random bit set in about half of them", () =>
    Effect.gen(function*() {
      const count = 2_000
      const ids = yield* Effect.forEach(Array.from({ length: count }), () => uuidV7Of(EpochMillis(0)))
      const bits = ids.map((id) => BigInt(`0x${id.replaceAll("-", "")}`))
      // 12 bits follow the version, 62 the variant.
      const random = Array.from({ length: 76 }, (_, bit) => bit).filter((bit) => bit !== 62 && bit !== 63)
      for (const bit of random) {
        const set = bits.filter((id) => (id >> BigInt(bit)) & 1n).length
        assert.closeTo(set / count, 0.5, 0.06, `bit ${bit}`)
      }
    }).pipe(Effect.withRandom(Random.make("bits"))))
})
