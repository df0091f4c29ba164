import { stages } from "../src/domain/Stage.js"
import { StageEvent } from "../src/domain/StageEvent.js"

/** A task's life: seven changes of stage, and its completion. */
export const life = (workItem: string): ReadonlyArray<StageEvent> => [
  ...stages.slice(1).map((to, index) => StageEvent.StageChanged({ workItem, from: stages[index] ?? "", to })),
  StageEvent.TaskCompleted({ workItem })
]

/** The `index`th change of a run that goes through the work items ET-1 … ET-`workItems` and their stages in turn. */
export const changed = (index: number, workItems: number): StageEvent => {
  const stage = Math.floor(index / workItems) % (stages.length - 1)
  return StageEvent.StageChanged({
    workItem: `ET-${index % workItems + 1}`,
    from: stages[stage] ?? "",
    to: stages[stage + 1] ?? "",
    agent: "developer"
  })
}

/** A change to a stage without a state: it is told by a comment only. */
export const spoken = (workItem: string, id?: string): StageEvent =>
  StageEvent.StageChanged({ workItem, from: "the lobby", to: "the garden", ...(id === undefined ? {} : { id }) })

/** A failed gate of the same work item as the `index`th change. It is told by a separate comment. */
export const failed = (index: number, workItems: number): StageEvent =>
  StageEvent.QualityGateFailed({
    workItem: `ET-${index % workItems + 1}`,
    stage: "review",
    check: "lint",
    reason: "two errors"
  })
