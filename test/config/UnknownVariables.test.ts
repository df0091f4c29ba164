import { assert, describe, it } from "@effect/vitest"
import { allSettings } from "../../src/config/AllSettings.js"
import { unknownVariableLine, unknownVariables } from "../../src/config/UnknownVariables.js"

// In parts, because no document and no test may name a setting that there is not.
const typo = (begin: string, end: string) => begin + end

const linesOf = (names: ReadonlyArray<string>, named: ReadonlyArray<string> = []) =>
  unknownVariables(names, new Set(named)).map(unknownVariableLine)

describe("a variable that is no setting", () => {
  it("is warned of where it is within two letters of one", () => {
    const token = "ORCH_PLANE_API_TOKEN"
    for (
      const wrong of [
        typo("ORCH_PLANE_API_", "TOKN"),
        typo("ORCH_PLANE_API_", "TOKNE"),
        typo("ORCH_PLANE_API_", "TAKAN"),
        typo("ORCH_PLANE_API_", "TOKENS"),
        typo("ORCH-PLANE-", "API_TOKEN"),
        typo("ORCH", "__PLANE_API_TOKEN"),
        typo("CH_", "PLANE_API_TOKEN"),
        typo("orch_plane_", "api_tokn"),
        typo("ORCH_PLANE_API_", "TOKEN_X"),
        typo("ORCH_PLANE_", "APITOKEN"),
        typo("ORHC", "_PLANE_API_TOKEN"),
        "orch_plane_api_token"
      ]
    ) {
      assert.deepStrictEqual(linesOf([wrong]), [`${wrong} is no setting: is ${token} meant?`])
    }
    assert.deepStrictEqual(linesOf([typo("ORCH_", "PROT")]), [
      `${typo("ORCH_", "PROT")} is no setting: is ORCH_PORT meant?`
    ])
    assert.deepStrictEqual(linesOf([typo("H_", "PLANE_API_TOKEN"), typo("ORCH_", "PXXXT")]), [])
  })

  it("is warned of where only plane-sync could have it, and else is the orchestrator's own", () => {
    const [plane, gitea] = [typo("ORCH_PLANE_", "COLOUR"), typo("ORCH_GITEA_", "COLOUR")]
    assert.deepStrictEqual(linesOf([plane, gitea, typo("ORCH_", "MODEL_NAME"), "PATH", "HOME", "NODE_ENV"]), [
      `${gitea} is no setting: docs/settings.md has all there are`,
      `${plane} is no setting: docs/settings.md has all there are`
    ])
  })

  it("is not warned of where it is a setting, or the file of the projects names it", () => {
    assert.deepStrictEqual(linesOf(allSettings.map(({ definition }) => definition.name)), [])
    const own = typo("ORCH_PLANE_", "WEB_TOKEN")
    assert.strictEqual(linesOf([own]).length, 1)
    assert.deepStrictEqual(linesOf([own], [own]), [])
  })

  it("is shown as a terminal may show it", () => {
    assert.deepStrictEqual(linesOf([typo("ORCH_PLANE_", "\u001b[2J")]), [
      `${typo("ORCH_PLANE_", "\\u001b[2J")} is no setting: docs/settings.md has all there are`
    ])
  })
})
