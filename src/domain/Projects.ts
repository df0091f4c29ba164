import type { Array as Arr } from "effect"
import { Context, Either } from "effect"
import type { Project } from "./Project.js"
import { WorkItemKey } from "./WorkItemKey.js"

/** The projects that are written to. Code that needs a project asks for this, and not for settings. */
export class Projects extends Context.Tag("plane-sync/Projects")<Projects, {
  readonly all: Arr.NonEmptyReadonlyArray<Project>
  /** The project whose identifier a key begins with. None if it is no key, or begins with another one. */
  readonly ofKey: (key: string) => Project | undefined
}>() {}

/** `Projects` of a list. */
export const projectsOf = (all: Arr.NonEmptyReadonlyArray<Project>): Projects["Type"] => {
  const byIdentifier = new Map(all.map((project) => [project.identifier, project]))
  return {
    all,
    ofKey: (key) =>
      Either.match(WorkItemKey.parse(key), {
        onLeft: () => undefined,
        onRight: ({ identifier }) => byIdentifier.get(identifier)
      })
  }
}
