import type * as HttpClient from "@effect/platform/HttpClient"
import { Effect, Redacted, Schema } from "effect"
import { isDotless } from "../domain/Link.js"
import type { Project } from "../domain/Project.js"
import type { GiteaApi } from "../gitea/GiteaConfig.js"
import { GiteaConfig, giteaSettings } from "../gitea/GiteaConfig.js"
import type { GiteaError } from "../gitea/GiteaError.js"
import { makeRequests } from "../gitea/GiteaRequests.js"
import { BranchJson, RepositoryText, VersionJson } from "../gitea/Wire.js"
import type { Finding, Outcome } from "./Finding.js"
import { Failed, found, Passed, Skipped, Warned } from "./Finding.js"
import { splitAdvice } from "./PlaneAccess.js"
import { Requests } from "./Requests.js"

const { publicUrl: { definition: publicUrl }, token: { definition: token }, url: { definition: url } } = giteaSettings

/** A Gitea, and the repositories that are named for it. */
interface Forge {
  readonly api: GiteaApi
  readonly repositories: ReadonlyArray<string>
}

/** A glob names no repository that could be asked for. */
const isName = (repository: string) => /^[^*?[\]{}\s/]+\/[^*?[\]{}\s/]+$/.test(repository)

/** The Giteas that are set, each once. */
const forgesOf = (api: GiteaApi | undefined, projects: ReadonlyArray<Project>): ReadonlyArray<Forge> => {
  const forges = new Map<string, { api: GiteaApi; repositories: Set<string> }>()
  for (const { gitea, names, pullRequests: { repositories } } of projects) {
    const own = gitea === undefined
      ? api
      : gitea.token === undefined
      ? undefined
      : { url: gitea.url, token: gitea.token, names: names.gitea }
    if (own === undefined) continue
    const name = JSON.stringify([own.url, Redacted.value(own.token)])
    const forge = forges.get(name) ?? { api: own, repositories: new Set<string>() }
    for (const repository of repositories.filter(isName)) forge.repositories.add(repository)
    forges.set(name, forge)
  }
  return Array.from(forges.values(), ({ api, repositories }) => ({ api, repositories: Array.from(repositories) }))
}

const refused = (error: GiteaError): Finding => {
  const { mend, seen } = splitAdvice(
    error.headline ?? (error.reason === "KeyRefused" ? `it refuses ${token.name}` : "it does not answer as Gitea does"),
    error.reason === "KeyRefused"
      ? `make a token in Gitea (Settings, Applications) that may read repositories, and set ${token.name}`
      : `check ${url.name}`
  )
  return Failed({ seen: `${seen} (${error.path}: ${error.words})`, mend })
}

const UserJson = Schema.parseJson(Schema.Struct({ login: Schema.String }))

/** None where the token may not be told this, as one for repositories alone may not. */
const orForbidden = <A, R>(asking: Effect.Effect<A, GiteaError, R>) =>
  Effect.catchIf(
    asking,
    ({ reason, words }) => reason === "KeyRefused" && words === "answered 403",
    () => Effect.succeed(undefined)
  )

type Asking = Effect.Effect.Success<ReturnType<typeof makeRequests>>

const checkRepository = ({ one }: Asking, name: string): Effect.Effect<Finding> =>
  Effect.gen(function*() {
    const path = `repos/${name.split("/").map(encodeURIComponent).join("/")}`
    const { default_branch } = yield* one(path, RepositoryText)
    if (default_branch === "") return Skipped({ why: `${name}: it is empty` })
    const branch = yield* one(
      `${path}/branches/${default_branch.split("/").map(encodeURIComponent).join("/")}`,
      BranchJson
    )
    if (!branch.protected) {
      return Warned({
        seen:
          `${name}: ${default_branch} is not protected, so pull requests can be merged without checks and approvals`,
        mend: `protect ${default_branch} in the settings of ${name}, Branches`
      })
    }
    const checks = branch.enable_status_check
      ? `the checks ${branch.status_check_contexts.join(", ") || "that are reported"}`
      : "no checks"
    return Passed({
      seen: `${name}: ${default_branch} is protected, and demands ${checks} and ${branch.required_approvals} approvals`
    })
  }).pipe(
    Effect.catchAll((error) =>
      Effect.succeed(
        error.reason === "NotFound"
          ? Failed({
            seen: `there is no ${name}, or the user of ${token.name} may not see it`,
            mend: "check ORCH_GITEA_REPOSITORIES, or give that user the repository"
          })
          : refused(error)
      )
    )
  )

const checkForge = ({ api, repositories }: Forge): Effect.Effect<
  ReadonlyArray<Finding>,
  never,
  HttpClient.HttpClient | Requests
> =>
  Effect.gen(function*() {
    const { spare, why } = yield* Requests
    const notAsked = Skipped({ why: `Gitea is not asked, because ${why}` })
    if (!spare(2)) return [notAsked]
    const asking = yield* makeRequests(api)
    const known = yield* Effect.either(Effect.all([
      orForbidden(asking.one("version", VersionJson)),
      orForbidden(asking.one("user", UserJson))
    ]))
    if (known._tag === "Left") return [refused(known.left)]
    const [version, user] = known.right
    const who = user === undefined ? "it may not tell whose the token is" : `the token is of the user ${user.login}`
    const findings: Array<Finding> = [
      Passed({ seen: `${api.url} is Gitea ${version?.version ?? "of a version that the token may not see"}; ${who}` })
    ]
    for (const repository of repositories) {
      findings.push(spare(2) ? yield* checkRepository(asking, repository) : notAsked)
    }
    return findings
  })

/** Plane refuses links to a host that only its own network knows. */
const checkLinks = ({ api, publicUrl: shown }: GiteaConfig): ReadonlyArray<Finding> =>
  api !== undefined && isDotless(shown === "" ? api.url : shown)
    ? [Warned({
      seen: `Plane refuses links to ${shown === "" ? api.url : shown}, because its host has no dot`,
      mend: `set ${publicUrl.name} to the address by which people reach Gitea`
    })]
    : []

/** Gitea: its address, its version, whose the token is, and what protects the branches of named repositories. */
export const checkGitea = (
  projects: ReadonlyArray<Project>
): Effect.Effect<Outcome<never>, never, HttpClient.HttpClient | Requests> =>
  Effect.gen(function*() {
    const config = yield* Effect.either(GiteaConfig)
    if (config._tag === "Left") return found(Skipped({ why: "a setting that it needs is wrong" }))
    const forges = forgesOf(config.right.api, projects)
    if (forges.length === 0) return found(Skipped({ why: `${url.name} and ${token.name} are not set` }))
    return found(...(yield* Effect.forEach(forges, checkForge)).flat(), ...checkLinks(config.right))
  })
