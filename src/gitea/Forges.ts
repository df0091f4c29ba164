import { Schema } from "effect"
import { createHash } from "node:crypto"
import type { Project } from "../domain/Project.js"
import type { Projects } from "../domain/Projects.js"
import { span } from "../domain/ShownRepository.js"
import type { PullRequestId } from "./Facts.js"

// That of ORCH_GITEA_URL is 0, so there ours are the ids that it gives itself.
const numbers = 2 ** 20

/** The number of the Gitea that projects use which have none of their own. */
export const commonForge = 0

/** The number of another Gitea, by its address. It is the same after every start. */
export const forgeAt = (url: string): number =>
  1 + createHash("sha256").update(url).digest().readUInt32BE() % (numbers - 1)

/** The number of the Gitea that a project's pull requests are in. */
export const forgeOfProject = ({ gitea }: Pick<Project, "gitea">): number =>
  gitea === undefined ? commonForge : forgeAt(gitea.url)

/** The id that a Gitea gives a repository. A larger one would be taken for one of another Gitea. */
export const IdInForge = Schema.Int.pipe(
  Schema.between(0, span - 1, { message: () => "expected the id of a repository, from 0 to 4294967295" })
)

/** Our id of a repository, by the one that its Gitea gives it. */
export const repositoryIdIn = (forge: number, id: number): number => forge * span + id

/** The Gitea that a repository is in. */
export const forgeOf = ({ repository }: Pick<PullRequestId, "repository">): number => Math.floor(repository / span)

/** The first of our ids in a Gitea, and the first after them. */
export const idsIn = (forge: number): readonly [first: number, after: number] => [forge * span, (forge + 1) * span]

/** The projects whose pull requests are in a Gitea. */
export const projectsIn = ({ all }: Projects["Type"], forge: number): ReadonlyArray<Project> =>
  all.filter((project) => forgeOfProject(project) === forge)
