import { Effect } from "effect"
import type { NoticeAnswer } from "../../support/NoticeReceiver.js"
import type { Row } from "../Row.js"
import { tenfold } from "./Fault.js"

const row = (name: string, shows: string, answer: NoticeAnswer, ...notices: ReadonlyArray<NoticeAnswer>): Row => ({
  name,
  shows,
  // So that a notice that is not answered is given up after 1 s.
  speed: 10,
  settings: tenfold,
  notices,
  script: ({ check, note, notices, round, tasks }) =>
    Effect.gen(function*() {
      const on = yield* notices
      yield* round(1)
      yield* Effect.forEach(tasks, on.ask)
      yield* Effect.forEach(tasks, on.answer)
      yield* on.taken
      yield* Effect.forEach(on.problems(), (words) => check(false, words))
      const ids = new Set(on.seen.map(({ headers }) => headers["x-plane-sync-delivery"]))
      yield* note(`${ids.size} notices in ${on.seen.length} requests`)
    }),
  met: ({ notices }) => notices.filter((taken) => taken.answer === answer).length
})

/** A notice is taken at least once, and each time with the same id; those after it wait for it. */
export const notices: ReadonlyArray<Row> = [
  row(
    "notice-500",
    "the receiver of notices answers 500 four times",
    "fails",
    "fails",
    "fails",
    "ok",
    "fails",
    "fails"
  ),
  row("notice-hangs", "the receiver of notices takes two, and never answers", "hangs", "hangs", "ok", "ok", "hangs"),
  {
    ...row(
      "notice-reset",
      "the receiver has taken a notice, and the connection is reset: it comes twice, with the same id",
      "resets",
      "resets",
      "ok",
      "ok",
      "resets"
    ),
    ci: true
  },
  row(
    "notice-redirected",
    "the receiver of notices redirects elsewhere: never followed",
    "redirects",
    "redirects",
    "redirects"
  )
]
