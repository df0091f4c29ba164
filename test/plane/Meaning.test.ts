import { assert, describe, it } from "@effect/vitest"
import { Duration, Option } from "effect"
import { retryAfterOf } from "../../src/base/RetryAfter.js"
import { EpochMillis } from "../../src/base/Time.js"
import { meaningOf, plainWords } from "../../src/plane/Meaning.js"

const html = "<html><head><title>502</title><style>a{}</style></head><body><h1>Bad\n Gateway</h1></body></html>"
const now = EpochMillis(Date.UTC(2026, 10, 24, 8, 30, 0))

describe("meaningOf", () => {
  const rows: ReadonlyArray<readonly [number, string, string, string, string]> = [
    [
      401,
      `{"detail":"Authentication credentials were not provided."}`,
      "KeyRefused",
      "answered",
      "Authentication cred"
    ],
    [401, html, "KeyRefused", "answered", "Bad Gateway"],
    [403, `{"detail":"Given API token is not valid"}`, "KeyRefused", "answered", "Given API token is not valid"],
    [403, `{"detail":"You do not have permission to perform this action."}`, "PermissionDenied", "answered", "You do"],
    [403, `{"error":"Only admin or creator can delete the work item"}`, "PermissionDenied", "answered", "Only admin"],
    [403, html, "Unavailable", "unknown", "not JSON"],
    [404, `{"error":"The requested resource does not exist."}`, "NotFound", "answered", "The requested"],
    [404, `{"error": "Page not found."}`, "WrongAddress", "answered", "Page not found."],
    [404, html, "WrongAddress", "answered", "not JSON"],
    [404, "", "WrongAddress", "answered", "(empty)"],
    [400, `{"error":"The payload is not valid"}`, "Refused", "answered", "The payload is not valid"],
    [400, `{"state":["Invalid pk \\"x\\" - object does not exist."]}`, "Refused", "answered", `state: Invalid pk "x"`],
    [400, `{"non_field_errors":["a","b"]}`, "Refused", "answered", "a b"],
    [400, html, "Unavailable", "unknown", "not JSON"],
    [405, `{"detail":"Method \\"PUT\\" not allowed."}`, "Refused", "answered", "Method"],
    [409, `{"error":"already exists","id":"1"}`, "Refused", "answered", "already exists; id: 1"],
    [413, `{"error":"REQUEST_BODY_TOO_LARGE","detail":"too large"}`, "Refused", "answered", "REQUEST_BODY_TOO_LARGE"],
    [413, html, "Refused", "answered", "not JSON"],
    [415, `{"detail":"Unsupported media type"}`, "Refused", "answered", "Unsupported"],
    [422, `{}`, "Refused", "answered", ""],
    [301, "", "WrongAddress", "answered", "redirects to /there/"],
    [408, `{}`, "Unavailable", "unknown", ""],
    [425, `{}`, "Unavailable", "answered", ""],
    [500, `{"error":"Something went wrong please try again later"}`, "Unavailable", "answered", "Something"],
    [500, html, "Unavailable", "unknown", "Bad Gateway"],
    [503, `{"detail":"later"}`, "Unavailable", "answered", "later"],
    [502, `{"detail":"bad gateway"}`, "Unavailable", "unknown", "bad gateway"],
    [504, html, "Unavailable", "unknown", "not JSON"],
    [
      429,
      `{"error_code":5900,"error_message":"RATE_LIMIT_EXCEEDED"}`,
      "RateLimited",
      "answered",
      "RATE_LIMIT_EXCEEDED"
    ],
    [429, html, "RateLimited", "answered", "not JSON"]
  ]
  it.each(rows)("%i %s is %s", (status, body, reason, sent, words) => {
    const meaning = meaningOf({ status, headers: { location: "/there/" }, body }, {
      now,
      window: Duration.minutes(1)
    })
    assert.strictEqual(meaning.reason, reason)
    assert.strictEqual(meaning.sent, sent)
    assert.include(meaning.words, words)
    assert.deepStrictEqual(meaning.retryAfter, status === 429 ? Duration.minutes(1) : undefined)
  })

  it("keeps Plane's words to one line of 300 characters without control characters or markup", () => {
    assert.strictEqual(plainWords(html), "not JSON: 502 Bad Gateway")
    assert.strictEqual(plainWords(`{"detail":"a\\u001b[31mb\\n\\tc"}`), "a[31mb c")
    for (
      const body of [JSON.stringify({ detail: "x".repeat(10_000) }), "<style".repeat(1_000_000), "[".repeat(100_000)]
    ) {
      assert.isAtMost(plainWords(body).length, 310)
    }
    assert.strictEqual(plainWords(`${"[".repeat(100_000)}${"]".repeat(100_000)}`), "…")
  })
})

describe("Retry-After", () => {
  const rows: ReadonlyArray<readonly [string | undefined, number | undefined]> = [
    ["57", 57_000],
    ["0.5", 1_000],
    ["0", 1_000],
    ["-5", 1_000],
    ["99999999", 300_000],
    ["Infinity", 300_000],
    ["Tue, 24 Nov 2026 08:30:20 GMT", 20_000],
    ["Tue, 24 Nov 2026 08:00:00 GMT", 1_000],
    ["Tue, 24 Nov 2099 08:00:00 GMT", 300_000],
    ["soon", undefined],
    ["", undefined],
    [undefined, undefined]
  ]
  it.each(rows)("%s is %s ms", (header, millis) => {
    assert.strictEqual(Option.getOrUndefined(Option.map(retryAfterOf(header, now), Duration.toMillis)), millis)
  })

  it("comes with a 429 and a 503; a 429 without it waits the window out", () => {
    const of = (status: number, headers: Record<string, string>) =>
      meaningOf({ status, headers, body: "{}" }, { now, window: Duration.seconds(1) }).retryAfter
    assert.deepStrictEqual(of(429, { "retry-after": "3" }), Duration.seconds(3))
    assert.deepStrictEqual(of(429, {}), Duration.seconds(1))
    assert.deepStrictEqual(of(503, { "retry-after": "3" }), Duration.seconds(3))
    assert.strictEqual(of(503, {}), undefined)
  })
})
