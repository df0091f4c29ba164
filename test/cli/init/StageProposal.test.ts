import { assert, describe, it } from "@effect/vitest"
import { proposedStages } from "../../../src/cli/init/StageProposal.js"
import { StateId } from "../../../src/domain/StageStates.js"

/** The names that are proposed for states of these groups and names, in Plane's order. */
const proposed = (...states: ReadonlyArray<readonly [group: string, name: string]>) =>
  proposedStages(states.map(([group, name], sequence) => ({ id: StateId(name), group, name, sequence })))
    .map(({ state }) => state?.name)

const backlog = ["backlog", "Backlog"] as const
const cancelled = ["cancelled", "Cancelled"] as const

describe("the proposed table", () => {
  it("is that of the specification for the states that Plane gives a new project", () => {
    const doing = "In Progress"
    assert.deepStrictEqual(
      proposed(backlog, ["unstarted", "Todo"], ["started", doing], ["completed", "Done"], cancelled),
      ["Todo", doing, doing, doing, doing, doing, doing, "Done"]
    )
  })

  it("knows German names", () => {
    const doing = "In Arbeit"
    assert.deepStrictEqual(
      proposed(
        ["backlog", "Ideen"],
        ["unstarted", "Wartet"],
        ["unstarted", "Zu erledigen"],
        ["started", "Analyse"],
        ["started", doing],
        ["started", "Prüfung"],
        ["started", "Test"],
        ["started", "Auslieferung"],
        ["completed", "Abgerechnet"],
        ["completed", "Fertig"]
      ),
      ["Zu erledigen", "Analyse", "Analyse", doing, "Prüfung", "Test", "Auslieferung", "Fertig"]
    )
  })

  it("takes the fitting one of several in a group, and never seems to go back", () => {
    const [doing, review, test] = ["Doing", "Code review", "QA"]
    assert.deepStrictEqual(
      proposed(["unstarted", "Ready"], ["started", doing], ["started", review], ["started", test], [
        "completed",
        "Shipped"
      ]),
      ["Ready", doing, doing, doing, review, test, test, "Shipped"]
    )
  })

  it("takes the first of a group where no name tells anything", () => {
    assert.deepStrictEqual(
      proposed(["unstarted", "α"], ["unstarted", "β"], ["started", "γ"], ["started", "δ"], ["completed", "ε"]),
      ["α", "γ", "γ", "γ", "γ", "γ", "γ", "ε"]
    )
  })

  it("leaves a stage without a state where its group has none: no Done, nothing started", () => {
    const none = undefined
    assert.deepStrictEqual(
      proposed(backlog, ["started", "In Progress"], cancelled),
      ["Backlog", ...Array.from({ length: 6 }, () => "In Progress"), none]
    )
    assert.deepStrictEqual(proposed(["completed", "Done"]), [none, none, none, none, none, none, none, "Done"])
  })
})
