import { assert, describe, it } from "@effect/vitest"
import { EpochMillis } from "../../src/base/Time.js"
import { momentOf } from "../../src/domain/PlaneMoment.js"
import type { Heard } from "../../src/outbox/Heard.js"
import { isOlder } from "../../src/outbox/Heard.js"

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const ten = Date.UTC(2026, 10, 29, 10)
const year9999 = Date.UTC(9999, 11, 31) - ten

/** What is dated so far ahead of the moment when it came. */
const heard = (cameAfter: number, ahead: number): Heard => ({
  at: momentOf(EpochMillis(ten + cameAfter + ahead)),
  ahead
})

const isNews = (known: Heard, news: Heard) => !isOlder(news, known)

describe("row 31: which of two moments is newer", () => {
  it("a clock that was ahead and is right again: what it says from then on is newer, and earlier than what it said", () => {
    for (const ahead of [2 * minute, 10 * minute, hour, 25 * hour, year9999]) {
      const first = heard(0, ahead)
      // Plane's clock may be a little ahead of ours, and its worker may need some seconds.
      for (const skew of [-5 * second, -1 * second, 0, 1 * second]) {
        assert.isTrue(isNews(first, heard(20 * second, skew)), `${ahead} ${skew}`)
      }
    }
  })

  it("of a clock that stays ahead, what is late is older, also by half an hour", () => {
    for (const ahead of [1 * second, 5 * second, 30 * second, 5 * minute, hour]) {
      for (const late of [0, 300, 3 * second, 20 * second, 10 * minute, 30 * minute]) {
        // Changed 200 ms before what is known, and told so much later.
        const news = { at: momentOf(EpochMillis(ten + ahead - 200)), ahead: ahead - 200 - late }
        if (Math.abs(news.ahead) <= 10 * second && ahead > 30 * second) continue
        assert.isFalse(isNews(heard(0, ahead), news), `${ahead} ${late}`)
      }
      assert.isTrue(isNews(heard(0, ahead), heard(second, ahead)), "the next change")
      assert.isFalse(isNews(heard(0, ahead), { ...heard(0, ahead), ahead: ahead - second }), "the same once more")
    }
  })

  it("of a clock that is right, the moments tell the order, however late they come", () => {
    for (const late of [0, second, hour, 30 * 24 * hour]) {
      assert.isTrue(isNews(heard(0, 0), heard(1, -late + late)))
      assert.isFalse(isNews(heard(0, -late), heard(0, -late)))
      assert.isFalse(isNews(heard(0, 0), { at: momentOf(EpochMillis(ten - 1)), ahead: -late - 1 }))
    }
  })

  it("row 71: after one that is dated 9999, the next of that kind is news, and so is all that follows", () => {
    const absurd = heard(0, year9999)
    assert.isTrue(isNews(heard(-second, 0), absurd))
    assert.isTrue(isNews(absurd, heard(0, hour)))
    assert.isTrue(isNews(absurd, heard(minute, -30 * second)))
    assert.isTrue(isNews(heard(minute, 0), heard(2 * minute, year9999 - hour)))
  })
})
