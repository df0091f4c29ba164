import type { Board as BoardOf, BoardCard as BoardCardOf } from "../src/overview/BoardView.js"
import type { History as HistoryOf } from "../src/overview/HistoryView.js"
import type {
  DeadLetterFilter as FilterOf,
  Need as NeedOf,
  NeedAction as NeedActionOf,
  Overview as OverviewOf
} from "../src/overview/OverviewView.js"
import type { DeadLetterView } from "../src/views/DeadLetterView.js"
import type { TaskWithStory } from "../src/views/TaskView.js"
import type { WorkItemView } from "../src/views/WorkItemView.js"

// What the API answers, as JSON. Only types: nothing of the program is in the page.

export type Overview = typeof OverviewOf.Encoded
export type Need = typeof NeedOf.Encoded
export type NeedAction = typeof NeedActionOf.Encoded
export type Filter = typeof FilterOf.Encoded
export type Board = typeof BoardOf.Encoded
export type Card = typeof BoardCardOf.Encoded
export type Column = Board["stages"][number]
export type History = typeof HistoryOf.Encoded
export type Condition = Overview["projects"][number]
export type WorkItem = typeof WorkItemView.Encoded
export type Delivery = WorkItem["deliveries"][number]
export type StoryLine = WorkItem["story"][number]
export type Task = typeof TaskWithStory.Encoded
export type Letter = typeof DeadLetterView.Encoded

/** A page of the dead letters that match, and how many do. */
export interface Letters {
  readonly deliveries: ReadonlyArray<Letter>
  readonly nextCursor: number | null
  readonly total: number
}

/** All that is known of one work item: its card and its stages, its story, and its task if it has one. */
export interface Item {
  readonly workItem: WorkItem
  readonly task: Task | undefined
  readonly board: Board | undefined
}
