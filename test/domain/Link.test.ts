import { assert, describe, it } from "@effect/vitest"
import { Either } from "effect"
import { reachable } from "../../src/domain/GiteaAddress.js"
import { cleanLink, wrongUrl } from "../../src/domain/Link.js"
import { StageEvent } from "../../src/domain/StageEvent.js"
import { decodeEvent } from "../../src/events/DecodeEvent.js"

const base = "https://ci.example.com/"

describe("the address of a link", () => {
  it("may be any by http and https that a browser opens", () => {
    for (
      const url of [
        base,
        "http://localhost:3000/acme/widgets/pulls/7",
        "http://10.0.0.7/?keyword=x&author=lea&monkey=1&signal=2",
        "http://[::1]:8080/a",
        "https://пример.example/путь",
        `${base}"><script>alert(1)</script>`,
        `${base}#ring`,
        `${base}${"a".repeat(2_048 - base.length)}`
      ]
    ) assert.isUndefined(wrongUrl(url), url)
  })

  it("is refused where Plane would refuse it, run it, or show a secret; and the words do not repeat it", () => {
    const secret = "s3cret"
    const cases: ReadonlyArray<readonly [string, string]> = [
      ["", "http://"],
      ["javascript:alert(1)", "http://"],
      ["//ci.example.com/", "http://"],
      ["ftp://ci.example.com/", "http://"],
      ["HTTPS://ci.example.com/", "lower case"],
      ["https://", "not an address"],
      [`${base}${"a".repeat(3_000)}`, "too long"],
      [`${base}a b`, "blank"],
      [` ${base}`, "blank"],
      [`${base}\u0000`, "control"],
      [`${base}\u007f`, "control"],
      [`${base}\n`, "control"],
      [`${base}\u202e`, "control"],
      [`${base}\ud800`, "control"],
      ["https:\\\\ci.example.com", "backslash"],
      ["https://ci_1.example.com/", "underscore"],
      [`https://lea:${secret}@ci.example.com/`, "password"],
      [`https://${secret}@ci.example.com/`, "password"],
      ["https://@ci.example.com/", "password"],
      ...[
        "token",
        "access_token",
        "private_token",
        "PRIVATE-TOKEN",
        "accessToken",
        "job_token",
        "api_key",
        "apikey",
        "X-Api-Key",
        "key",
        "secret",
        "client_secret",
        "password",
        "sig",
        "Signature",
        "X-Amz-Signature",
        "auth",
        "to%6ben"
      ].flatMap((name): ReadonlyArray<readonly [string, string]> => [
        [`${base}?a=1&${name}=${secret}`, "token"],
        [`${base}?a=1;${name}=${secret}`, "token"],
        [`${base}#${name}=${secret}`, "token"]
      ])
    ]
    for (const [url, word] of cases) {
      const wrong = wrongUrl(url)
      assert.include(wrong, word, url)
      assert.notInclude(wrong, secret)
    }
  })

  it("of Gitea is the one that people use; one without a dot needs the setting", () => {
    const shown = reachable({ url: "http://gitea:3000/git", publicUrl: "https://git.example.com/g" })
    assert.deepStrictEqual(shown("http://gitea:3000/git/a/b?c#d"), Either.right("https://git.example.com/g/a/b?c#d"))
    assert.deepStrictEqual(shown("http://gitea:3000/git"), Either.right("https://git.example.com/g"))
    assert.deepStrictEqual(shown("https://elsewhere.example/git/a"), Either.right("https://elsewhere.example/git/a"))
    for (const url of ["http://gitea:3000/github/a", "http://gitea/git/a"]) {
      assert.deepInclude(Either.getOrNull(Either.flip(shown(url))), { mends: true })
    }
    const none = reachable({ url: "http://gitea:3000", publicUrl: "" })("http://gitea:3000/a")
    assert.include(Either.getOrNull(Either.flip(none))?.why, "ORCH_GITEA_PUBLIC_URL")
    assert.deepInclude(Either.getOrNull(Either.flip(shown("https://a:b@c.example/"))), { mends: false })
  })
})

describe("the links of an event", () => {
  const link = { kind: "log", title: "Log", url: base }
  const issuesOf = (...links: ReadonlyArray<unknown>) =>
    Either.match(decodeEvent({ type: "task_completed", workItem: "ET-2", links }), {
      onLeft: (issues) => issues.map(({ field }) => field),
      onRight: () => []
    })

  it("are refused with the name of the field", () => {
    assert.deepStrictEqual(issuesOf(link, { ...link, kind: "pull-request" }), [])
    assert.deepStrictEqual(issuesOf(link, { ...link, url: "javascript:alert(1)" }), ["links.1.url"])
    assert.deepStrictEqual(issuesOf({ ...link, kind: "Log" }), ["links.0.kind"])
    assert.deepStrictEqual(issuesOf({ ...link, kind: "a".repeat(33) }), ["links.0.kind"])
    assert.deepStrictEqual(issuesOf({ kind: "log", url: base }), ["links.0.title"])
    assert.deepStrictEqual(issuesOf({ ...link, more: 1 }), ["links.0.more"])
    assert.deepStrictEqual(issuesOf(...Array.from({ length: 11 }, () => link)), ["links"])
  })

  it("never repeat an address that may hold a secret", () => {
    const given = decodeEvent({
      type: "task_completed",
      workItem: "ET-2",
      links: [{ ...link, url: "https://lea:s3cret@ci.example.com/" }]
    })
    assert.notInclude(JSON.stringify(given), "s3cret")
  })

  it("have a title that Plane takes", () => {
    const { title } = cleanLink({ ...link, title: `a\u0000\n${"b".repeat(300)}` })
    assert.isAtMost(title.length, 255)
    assert.isTrue(title.startsWith("a b"))
    assert.strictEqual(StageEvent.TaskCompleted({ workItem: "ET-2", links: [link] }).links?.[0]?.title, "Log")
  })
})
