import { Option, Schema } from "effect"
import type { Projects } from "./Projects.js"

// Every Gitea counts its repositories from 1. So a repository of a project's own Gitea has the Gitea's number in the
// upper bits of its id: see `gitea/Forges.ts`.
export const span = 2 ** 32

/** The id that its Gitea gives a repository. */
export const idInForge = (repository: number): number => repository % span

/** A task's repository as people know it. */
export const ShownRepository = Schema.NullOr(Schema.Struct({
  id: Schema.Number.annotations({ description: "the id that its Gitea gives it" }),
  name: Schema.String.annotations({ description: "owner/name" }),
  gitea: Schema.NullOr(Schema.String).annotations({
    description: "the address of its Gitea, if its project has one of its own; null: that of ORCH_GITEA_URL"
  })
})).annotations({
  description:
    "the repository of its pull request; null while it has none, or it is in a Gitea that no setting names any more"
})
export type ShownRepository = typeof ShownRepository.Type

/** What is shown of a task's repository. */
export const shownRepository = (
  { named }: Pick<Projects["Type"], "named">,
  { project, repository }: {
    readonly project: string
    readonly repository: Option.Option<{ readonly id: number; readonly name: string }>
  }
): ShownRepository =>
  Option.getOrNull(Option.flatMap(repository, ({ id, name }) => {
    const gitea = id < span ? null : named(project)?.gitea?.url
    // Of a Gitea that no setting names any more the id says nothing.
    return gitea === undefined ? Option.none() : Option.some({ id: idInForge(id), name, gitea })
  }))
