import type { Project } from "../domain/Project.js"
import type { HealthFacts } from "../health/HealthFacts.js"
import type { DeadGroup } from "../outbox/DeadGroups.js"
import type { WaitRow } from "../people/Waits.js"
import type { FailedGate } from "../tasks/FailedGates.js"
import type { NamedItem } from "./OverviewView.js"

/** All that the page's first screen is made from, as it was read at one moment. */
export interface OverviewFacts {
  readonly health: HealthFacts
  /** The waits that are open, the oldest first. */
  readonly waits: ReadonlyArray<WaitRow>
  readonly gates: ReadonlyArray<FailedGate>
  readonly letters: ReadonlyArray<DeadGroup>
  /** How many events were told in the last hour. */
  readonly toldLastHour: number
  readonly items: Items
  readonly settings: Settings
}

/** A work item as people know it, by its key as it was written. */
export type Items = (workItem: string) => NamedItem

/** What a person looks at to mend something. */
export interface Settings {
  readonly named: (identifier: string) => Project | undefined
  readonly ofKey: (key: string) => Project | undefined
  /** Plane's address. */
  readonly planeUrl: string
  /** Where the pages of a project's workspace begin, without a slash at the end. */
  readonly workspaceUrl: (identifier: string) => string
}
