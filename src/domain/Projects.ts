import type { Array as Arr } from "effect"
import { Context, Either } from "effect"
import type { Project } from "./Project.js"
import { WorkItemKey } from "./WorkItemKey.js"

/** The projects that are written to. Code that needs a project asks for this, and not for settings. */
export class Projects extends Context.Tag("plane-sync/Projects")<Projects, {
  readonly all: Arr.NonEmptyReadonlyArray<Project>
  /** The project whose identifier a key begins with. None if it is no key, or begins with another one. */
  readonly ofKey: (key: string) => Project | undefined
  /** The project with this identifier. */
  readonly named: (identifier: string) => Project | undefined
}>() {}

/** What is said of a project that was known, and that no setting names any more. */
export const unset = (identifier: string): string =>
  `no setting names the project ${identifier}: add it to the settings, and restart`

/** `Projects` of a list. */
export const projectsOf = (all: Arr.NonEmptyReadonlyArray<Project>): Projects["Type"] => {
  const byIdentifier = new Map(all.map((project) => [project.identifier, project]))
  return {
    all,
    named: (identifier) => byIdentifier.get(identifier),
    ofKey: (key) =>
      Either.match(WorkItemKey.parse(key), {
        onLeft: () => undefined,
        onRight: ({ identifier }) => byIdentifier.get(identifier)
      })
  }
}
