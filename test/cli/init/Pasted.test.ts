import { assert, describe, it } from "@effect/vitest"
import { Either, Redacted } from "effect"
import { readAddress, readWorkspace } from "../../../src/cli/init/PastedAddress.js"
import { readSecret } from "../../../src/cli/init/PastedSecret.js"

const wordsOf = (result: Either.Either<unknown, string>) => Either.getOrElse(Either.flip(result), () => "taken")

describe("an address that is pasted", () => {
  it.each([
    ["http://localhost:8091", "http://localhost:8091", undefined],
    [" http://localhost:8091/ ", "http://localhost:8091", undefined],
    ["http://localhost:8091/api/v1", "http://localhost:8091", undefined],
    ["http://localhost:8091/ag_proj/", "http://localhost:8091", "ag_proj"],
    ["http://plane/acme/projects/7a79/issues/?layout=list#top", "http://plane", "acme"],
    ["https://plane.example.org/acme/settings/webhooks/", "https://plane.example.org", "acme"],
    ["https://plane.example.org/acme/browse/ET-2/", "https://plane.example.org", "acme"],
    ["https://example.org/plane/acme/projects/", "https://example.org/plane", "acme"],
    ["https://example.org/tools/plane", "https://example.org/tools/plane", undefined],
    ["http://plane/api/v1/workspaces/acme/projects/", "http://plane", "acme"],
    ["http://plane/m%C3%BCller/projects/", "http://plane", "müller"],
    ["http://plane/god-mode/", "http://plane", undefined],
    ["http://plane/profile/security/", "http://plane", undefined]
  ])("%s is Plane at %s, workspace %s", (text, url, workspace) => {
    assert.deepStrictEqual(readAddress(text), Either.right({ url, workspace }))
  })

  it("says what would be right", () => {
    for (
      const [text, words] of [
        ["localhost:8091", "neither http nor https"],
        ["nonsense", "is not a URL"],
        ["http://u:p@plane/", "carries a user name or a password"]
      ] as const
    ) {
      assert.include(wordsOf(readAddress(text)), words)
      assert.include(wordsOf(readAddress(text)), `like "http://localhost:8091", or that of a page of Plane`)
    }
    assert.include(wordsOf(readWorkspace("a b")), `"a b" is no name of a workspace: expected one as in Plane's`)
  })
})

describe("a secret that is pasted", () => {
  it.each([
    "plane_api_1",
    " plane_api_1\n",
    "\"plane_api_1\"",
    "'plane_api_1'",
    "“plane_api_1”",
    "\" 'plane_api_1' \""
  ])(
    "is cleaned: %j",
    (text) => assert.strictEqual(Either.map(readSecret(text), Redacted.value).pipe(Either.getOrThrow), "plane_api_1")
  )

  it.each([
    ["", "nothing was entered"],
    ["\"\"", "nothing was entered"],
    ["\"plane_api_1", "it has a quote in it"],
    ["plane_api 1", "it has blanks in it"],
    ["plane_api_ü", "characters that no secret of Plane has"]
  ])("is refused with words that do not repeat it: %j", (text, words) => {
    assert.include(wordsOf(readSecret(text)), words)
    if (text.includes("api")) assert.notInclude(wordsOf(readSecret(text)), "api")
  })
})
