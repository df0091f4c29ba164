import { assert, describe, it } from "@effect/vitest"
import { replaced } from "./Document.js"

describe("replaced", () => {
  const marked = (part: string) => `# A\n\n<!-- crash:begin -->\n${part}\n<!-- crash:end -->\n\nB\n`

  it("writes between the markers, and nowhere else", () => {
    assert.strictEqual(replaced(marked("old\n\nolder"), "crash", "new"), marked("new"))
  })

  it("tells the parts apart", () => {
    const both = marked("old").replaceAll("crash", "crash-postgres") + marked("old")
    assert.strictEqual(
      replaced(both, "crash", "new"),
      marked("old").replaceAll("crash", "crash-postgres") + marked("new")
    )
  })

  it("adds the markers where there are none", () => {
    assert.strictEqual(replaced("# A\n", "crash", "new"), "# A\n\n<!-- crash:begin -->\nnew\n<!-- crash:end -->\n")
  })
})
