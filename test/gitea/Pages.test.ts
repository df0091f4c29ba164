import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer } from "effect"
import { makePages, storedPage } from "../../src/gitea/Pages.js"

const pullRequest = { name: "acme/widgets", number: 7 }

const pages = (url: string, publicUrl: string) =>
  Effect.runSync(
    makePages.pipe(
      Effect.map((of) => of({ gitea: undefined })),
      Effect.provide(Layer.setConfigProvider(ConfigProvider.fromMap(
        new Map([["ORCH_GITEA_URL", url], ["ORCH_GITEA_PUBLIC_URL", publicUrl]])
      )))
    )
  )

describe("the pages of Gitea", () => {
  it("are stored if they can be links: an address, or a path of Gitea's own runners", () => {
    for (const page of ["https://ci.example.com/7", "/acme/widgets/actions/runs/7/jobs/0"]) {
      assert.strictEqual(storedPage(page), page)
    }
    for (
      const page of ["", "//evil.example/", "javascript:alert(1)", "https://a:b@c.example/", "/a?token=1", "/a b", "a"]
    ) assert.isNull(storedPage(page), page)
  })

  it("of a pull request are as Gitea tells them, or else below its address", () => {
    const told = { ...pullRequest, page: "https://root.example/acme/widgets/pulls/7" }
    assert.strictEqual(pages("http://gitea:3000", "").ofPullRequest(told), told.page)
    assert.strictEqual(
      pages("http://gitea:3000", "").ofPullRequest(pullRequest),
      "http://gitea:3000/acme/widgets/pulls/7"
    )
    assert.isUndefined(pages("", "").ofPullRequest(pullRequest))
    for (const [url, page] of [["", null], ["http://gitea:3000", "http://gitea:3000/acme/widgets/pulls/7"]] as const) {
      assert.strictEqual(
        pages(url, "https://git.example.com/g").ofPullRequest({ ...pullRequest, page }),
        "https://git.example.com/g/acme/widgets/pulls/7"
      )
    }
  })

  it("of a check are below the address that people use, if they are Gitea's own", () => {
    const { ofCheck } = pages("http://gitea:3000", "https://git.example.com")
    const shown = "https://git.example.com/acme/widgets/actions/runs/7/jobs/0"
    assert.strictEqual(ofCheck(pullRequest, "/acme/widgets/actions/runs/7/jobs/0"), shown)
    assert.strictEqual(
      ofCheck(pullRequest, "http://root:3000/sub/Acme/widgets/actions/runs/7/jobs/0"),
      "https://git.example.com/Acme/widgets/actions/runs/7/jobs/0"
    )
    assert.strictEqual(
      ofCheck(pullRequest, "https://drone.example/acme/widgets/7"),
      "https://drone.example/acme/widgets/7"
    )
    assert.strictEqual(
      pages("http://gitea:3000/git", "").ofCheck(pullRequest, "/git/acme/widgets/actions/runs/7"),
      "http://gitea:3000/git/acme/widgets/actions/runs/7"
    )
    assert.isUndefined(pages("", "").ofCheck(pullRequest, "/acme/widgets/actions/runs/7"))
    assert.isUndefined(ofCheck(pullRequest, null))
  })

  it("of a mirror elsewhere stay what they are, though their paths are the same", () => {
    const page = "https://github.com/acme/widgets/actions/runs/7"
    assert.strictEqual(pages("http://gitea:3000", "https://git.example.com").ofCheck(pullRequest, page), page)
  })
})
