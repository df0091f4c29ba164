import type { Redacted } from "effect"
import { Console, Data, Effect, Either } from "effect"
import type { PlaneError } from "../../plane/PlaneError.js"
import type { ListedProject } from "../../plane/ProjectList.js"
import type { Access, Survey } from "../../plane/Survey.js"
import { makeSurvey } from "../../plane/Survey.js"
import { askAddress, askSecret, askSecretOrNone, askWorkspace } from "./Questions.js"

/** What is known of Plane before anything is asked. */
export interface Known {
  readonly url: string | undefined
  readonly workspace: string | undefined
  readonly apiToken: Redacted.Redacted | undefined
}

/** A workspace that answers. */
export interface Reached {
  readonly access: Access
  readonly survey: Survey
  readonly projects: ReadonlyArray<ListedProject>
  /** How many requests it took. */
  readonly requests: number
}

/** The workspace shows no project. */
export class NoProjects extends Data.TaggedError("NoProjects")<{ readonly workspace: string }> {
  override get message(): string {
    return `the workspace ${this.workspace} has no project that the API token's user may see: make the user a member of ` +
      "one in Plane"
  }
}

/** How often a person may mend an answer. */
const tries = 3

const tokenQuestion = "API token (it is not shown)"

/** Which questions are asked again: those whose answers Plane's answer contradicts. */
const forgotten = (error: PlaneError, access: Access): Known | undefined => {
  switch (error.reason) {
    case "KeyRefused":
      return { ...access, apiToken: undefined }
    case "PermissionDenied":
      return { ...access, workspace: undefined, apiToken: undefined }
    case "Unavailable":
    case "WrongAddress":
      return { ...access, url: undefined }
    default:
      return undefined
  }
}

const defaultUrl = "http://localhost:8091"

const askToken = (before: Redacted.Redacted | undefined) =>
  before === undefined
    ? Effect.zipRight(
      Console.log("  Plane makes one at: Profile settings > Personal access tokens > Add"),
      askSecret(tokenQuestion)
    )
    : Effect.map(askSecretOrNone(`${tokenQuestion}, Enter: the same`), (token) => token ?? before)

/** Asks for what is not known. `before` is what an empty answer means. */
const asked = (known: Known, before: Known) =>
  Effect.gen(function*() {
    const pasted = known.url === undefined ? yield* askAddress(before.url ?? defaultUrl) : undefined
    const workspace = pasted?.workspace ?? known.workspace ?? (yield* askWorkspace(before.workspace))
    const apiToken = known.apiToken ?? (yield* askToken(before.apiToken))
    return { url: pasted?.url ?? known.url ?? defaultUrl, workspace, apiToken }
  })

const reached = (access: Access, requests: number) =>
  Effect.gen(function*() {
    const survey = yield* makeSurvey(access)
    const { all, projects } = yield* survey.projects
    if (projects.length === 0) return yield* new NoProjects(access)
    if (!all) yield* Console.log(`  The workspace has more than ${projects.length} projects; these are the first.`)
    return { access, survey, projects, requests }
  })

/**
 * Finds the workspace. A person is asked for what is not `known`, with what is `usual` for an empty answer, and may mend
 * twice what Plane contradicts.
 */
export const reach = (known: Known, usual: Known) =>
  Effect.gen(function*() {
    let before = usual
    let now = known
    for (let requests = 1;; requests++) {
      const access: Access = yield* asked(now, before)
      const answer = yield* Effect.either(reached(access, requests))
      if (Either.isRight(answer)) return answer.right
      const error = answer.left
      const next = error._tag === "PlaneError" ? forgotten(error, access) : undefined
      if (next === undefined || requests === tries) return yield* Effect.fail(error)
      yield* Console.error(`  ${error.message}`)
      before = access
      now = next
    }
  })

/** The same by what is known alone. */
export const reachUnasked = (access: Access) => reached(access, 1)
