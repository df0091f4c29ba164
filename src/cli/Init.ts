import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import { Console, Data, Effect } from "effect"
import type { SeenProject, Surveyed } from "../doctor/Surveyed.js"
import type { ListedProject } from "../plane/ProjectList.js"
import type { Access } from "../plane/Survey.js"
import { dotEnvLayer } from "./DotEnv.js"
import { lineOf } from "./Help.js"
import { agreeToReplace, Stopped, writeFiles } from "./init/Files.js"
import type { Given } from "./init/Given.js"
import { complete, givenBy } from "./init/Given.js"
import { offerHooks } from "./init/Hooks.js"
import { askSome, isAnswered, withPerson } from "./init/Questions.js"
import { reach, reachUnasked } from "./init/Reach.js"
import { tableOf, tableUnread } from "./init/Tables.js"
import { shown } from "./Table.js"
import { wrongUse } from "./WrongUse.js"

/** The most requests that it sends, those of the checks at its end among them. */
const mostRequests = 8

const url = Options.text("url").pipe(
  Options.withPseudoName("address"),
  Options.withDescription("Plane's address, or that of any page of the workspace"),
  Options.optional
)

const workspace = Options.text("workspace").pipe(
  Options.withPseudoName("name"),
  Options.withDescription("The workspace, as it stands in Plane's addresses"),
  Options.optional
)

const projects = Options.text("project").pipe(
  Options.withPseudoName("identifier"),
  Options.withDescription("A project, like ET; may be repeated. Without it: all"),
  Options.repeated
)

const tokenStdin = Options.boolean("token-stdin").pipe(
  Options.withDescription("Read Plane's API token from standard input")
)

const force = Options.boolean("force").pipe(
  Options.withDescription("Replace plane-sync.json, and set what is new in .env, without asking")
)

/** No project can be written to. */
export class NoneOpen extends Data.TaggedError("NoneOpen") {
  override get message(): string {
    return "the API token's user may write to no project: make it a member of one in Plane"
  }
}

/** Which of the projects are written to: those that are named, or that a person chooses, or all that are open. */
const chosen = (found: ReadonlyArray<ListedProject>, named: ReadonlyArray<string>, isAsked: boolean) =>
  Effect.gen(function*() {
    const wanted = new Set(named.map((identifier) => identifier.toUpperCase()))
    for (const identifier of wanted) {
      if (found.some((project) => project.identifier === identifier)) continue
      const known = found.map((project) => shown(project.identifier)).join(", ")
      return yield* wrongUse(`init --project ${shown(identifier)}: the workspace has no such project, it has ${known}`)
    }
    const among = wanted.size === 0 ? found : found.filter(({ identifier }) => wanted.has(identifier))
    for (const { closed, identifier } of among) {
      if (closed !== undefined) yield* Console.error(`  ${shown(identifier)} is left out: ${closed}`)
    }
    const open = among.filter(({ closed }) => closed === undefined)
    if (open.length === 0) return yield* new NoneOpen()
    return wanted.size > 0 || !isAsked || open.length === 1 ? open : yield* askSome(
      "Which projects are written to?",
      open.map((project) => ({ title: `${shown(project.identifier)}  ${shown(project.name)}`, value: project }))
    )
  })

/** From what is known to the two files. `access` is all of it, where nobody can be asked. */
const setUp = (given: Given, access: Access | undefined, named: ReadonlyArray<string>, force: boolean) =>
  Effect.gen(function*() {
    const isAsked = access === undefined
    yield* agreeToReplace(isAsked, force)
    const reached = yield* isAsked ? reach(given.known, given.usual) : reachUnasked(access)
    let left = mostRequests - reached.requests
    const seen = new Map<string, SeenProject>()
    const written = yield* Effect.forEach(
      yield* chosen(reached.projects, named, isAsked),
      (project) =>
        Effect.gen(function*() {
          const { id, identifier, role } = project
          const states = left > 0 ? yield* reached.survey.states(id) : undefined
          left -= states === undefined ? 0 : 1
          seen.set(identifier, { id, role, states })
          return yield* states === undefined ? tableUnread(project) : tableOf(project, states, isAsked)
        })
    )
    const secrets = yield* offerHooks(reached.access, isAsked)
    yield* writeFiles(reached.access, secrets, written)
    const surveyed: Surveyed = { access: reached.access, projects: seen, left }
    return surveyed
  })

/**
 * `plane-sync init`: leads from a Plane to the two files that plane-sync needs to write to it. `check` is run at the end
 * with the settings that were written. It brings its own layers.
 */
export const init = <E, R>(check: (surveyed: Surveyed) => Effect.Effect<void, E, R>) =>
  Command.make("init", { url, workspace, projects, tokenStdin, force }, (options) =>
    Effect.gen(function*() {
      const given = yield* givenBy(options)
      const surveyed = (yield* isAnswered)
        ? yield* withPerson(setUp(given, undefined, options.projects, options.force)).pipe(
          Effect.catchTag("QuitException", () => new Stopped())
        )
        : yield* setUp(given, yield* complete(given), options.projects, options.force)
      yield* Effect.provide(check(surveyed), dotEnvLayer)
    })).pipe(Command.withDescription(lineOf("init")))
