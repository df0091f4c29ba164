import type * as FileSystem from "@effect/platform/FileSystem"
import * as HttpClient from "@effect/platform/HttpClient"
import type { Scope } from "effect"
import { Effect, Either, Layer, Option, Redacted } from "effect"
import { connections } from "../base/Connections.js"
import { projectsConfig } from "../config/ProjectsConfig.js"
import { ServerConfig, urlOf } from "../config/ServerConfig.js"
import type { Projects } from "../domain/Projects.js"
import type { WorkItemKey } from "../domain/WorkItemKey.js"
import { GiteaConfig } from "../gitea/GiteaConfig.js"
import { askHealth } from "../health/AskHealth.js"
import { askAccount } from "../plane/Account.js"
import { PlaneConfig } from "../plane/PlaneConfig.js"
import { RateBudgets } from "../plane/RateBudgets.js"
import type { Migrations } from "../storage/Migrations.js"
import type { AccountAnswer, Reached } from "./AddressCheck.js"
import { checkAddress } from "./AddressCheck.js"
import { checkAgents } from "./AgentsCheck.js"
import { checkClock, checkRateLimit } from "./AnswerChecks.js"
import type { Checkup } from "./Checkup.js"
import { makeCheckup } from "./Checkup.js"
import { areCommandsSet, asksMembers, checkAttention, checkCommands, isAttentionSet } from "./CommandsCheck.js"
import type { Database } from "./DatabaseChecks.js"
import { checkDatabase, checkIntegrity, checkLeader, checkSpace } from "./DatabaseChecks.js"
import { checkDriver } from "./DriverCheck.js"
import type { Checked } from "./Finding.js"
import { checkGitea } from "./GiteaChecks.js"
import { checkNotices } from "./NoticeCheck.js"
import type { PlaneAccess } from "./PlaneAccess.js"
import { planeAccess } from "./PlaneAccess.js"
import { checkKey, checkProject, checkStages } from "./ProjectChecks.js"
import { allowanceFor, Requests } from "./Requests.js"
import type { IsOfDotEnv } from "./SettingsCheck.js"
import { checkSettings } from "./SettingsCheck.js"
import type { Surveyed } from "./Surveyed.js"
import { checkVersion } from "./VersionCheck.js"
import type { Heard } from "./WebhookChecks.js"
import { checkWebhooks } from "./WebhookChecks.js"
import { checkWriting } from "./WriteCheck.js"

/** What was found, and how many requests were sent to Plane and Gitea. */
export interface Diagnosis {
  readonly checked: ReadonlyArray<Checked>
  readonly requests: number
}

export interface DoctorOptions<R> {
  readonly isOfDotEnv: IsOfDotEnv<R>
  /** The names of all variables that are set, in whatever place. */
  readonly variableNames: Effect.Effect<ReadonlyArray<string>, never, R>
  /** Shows that writing is permitted, by a comment on this work item. Without one nothing is changed anywhere. */
  readonly write: WorkItemKey | undefined
  /** What need not be asked, where `init` has just asked it. */
  readonly surveyed?: Surveyed | undefined
}

const wrongSetting = "a setting that it needs is wrong"

/** SQLite's driver, and the database file, without making or changing it. */
const checkFile = ({ check, skip }: Checkup): Effect.Effect<Database, never, Migrations> =>
  Effect.gen(function*() {
    yield* check("driver", checkDriver)
    const looked = yield* check("database", checkDatabase)
    yield* check("free space", checkSpace)
    const nothing: Database = { isServed: false, heard: new Map() }
    if (looked === undefined) {
      yield* skip("integrity", "there is no database that can be read")
      yield* skip("who sends", "there is no database that can be read")
      return nothing
    }
    yield* check("integrity", checkIntegrity(looked))
    return (yield* check("who sends", checkLeader(looked))) ?? nothing
  })

const tokenOf = ({ current: { config } }: PlaneAccess) => Redacted.value(config.apiToken)

/**
 * One project after the other; those with an API token of their own have it checked first. Gives the identifiers of
 * those that may be written to.
 */
const checkProjects = ({ check, skip }: Checkup, all: ReadonlyArray<PlaneAccess>, reached: Reached) =>
  Effect.gen(function*() {
    const taken = new Map<string, boolean>()
    const accounts = new Map<string, AccountAnswer | undefined>()
    const open = new Set<string>()
    for (const [index, access] of all.entries()) {
      const { ask, current: { project: { identifier, names } }, exchange } = access
      const token = tokenOf(access)
      if (!taken.has(token)) {
        const account = index === 0 || token === ""
          ? Effect.succeed(index === 0 ? reached.account : undefined)
          : Effect.either(ask(1, askAccount(exchange)))
        const noted = Effect.tap(account, (account) => Effect.sync(() => accounts.set(token, account)))
        const isTaken = yield* check("API token", Effect.map(noted, (account) => checkKey(access, account)))
        taken.set(token, isTaken === true)
      }
      const [project, stages] = [`project ${identifier}`, `stages of ${identifier}`]
      if (taken.get(token) !== true) {
        yield* skip(project, `Plane is not asked with ${names.apiToken}, as said above`)
        yield* skip(stages, `Plane is not asked with ${names.apiToken}, as said above`)
        continue
      }
      const isOpen = yield* check(project, checkProject(access))
      if (isOpen !== true) {
        yield* skip(stages, `the project ${identifier} cannot be asked`)
        continue
      }
      open.add(identifier)
      yield* check(stages, checkStages(access))
      if (areCommandsSet(access.current.project)) {
        yield* check(`commands of ${identifier}`, checkCommands(access, accounts.get(token)))
      }
      if (isAttentionSet(access.current.project)) {
        yield* check(`attention of ${identifier}`, checkAttention(access))
      }
    }
    return open
  })

const afterAddress = ["API token", "rate limit", "clock", "Plane's version"]

/** Plane: its address, and then what needs that it answers. Gives its version, if it has told it. */
const checkPlane = (
  checkup: Checkup,
  { config, isServed, projects, surveyed, write }: {
    readonly config: PlaneConfig
    readonly projects: Projects["Type"]
    readonly isServed: boolean
    readonly surveyed: Surveyed | undefined
    readonly write: WorkItemKey | undefined
  }
): Effect.Effect<string | undefined, never, HttpClient.HttpClient | RateBudgets | Requests | Scope.Scope> =>
  Effect.gen(function*() {
    const { check, skip } = checkup
    const all = yield* Effect.forEach(projects.all, (project) => planeAccess(config, projects.all, project, surveyed))
    const [first] = all
    const reached = yield* check("Plane's address", checkAddress(first))
    const { answers, spare, why } = yield* Requests
    if (reached === undefined) {
      const reason = spare(1) ? "Plane is not reached" : `Plane is not asked, because ${why}`
      for (const name of [...afterAddress, ...(write === undefined ? [] : ["writing"])]) {
        yield* skip(name, reason)
      }
      return undefined
    }
    const version = reached.instance?.version
    const open = yield* checkProjects(checkup, all, reached)
    yield* check(
      "rate limit",
      Effect.sync(() => checkRateLimit(answers(), config.rateLimit, isServed))
    )
    yield* check("clock", Effect.sync(() => checkClock(answers())))
    const asked = all.find(({ current }) => open.has(current.project.identifier))
    if (asked === undefined) yield* skip("Plane's version", "it is told by requests to a project, and none is open")
    else yield* check("Plane's version", checkVersion(asked, reached.instance))
    if (write === undefined) return version
    const { identifier } = projects.ofKey(write.written) ?? first.current.project
    const access = all.find(({ current }) => current.project.identifier === identifier) ?? first
    if (open.has(identifier)) yield* check("writing", checkWriting(access, write))
    else yield* skip("writing", `the project ${identifier} may not be written to, as said above`)
    return version
  })

/** What needs the network. Gives how many requests it has sent, and what tells whom a task that waits reaches. */
const checkNetwork = (
  checkup: Checkup,
  database: Database,
  { surveyed, write }: Pick<DoctorOptions<never>, "surveyed" | "write">
) =>
  Effect.gen(function*() {
    const { check, skip } = checkup
    const config = Either.getOrUndefined(yield* Effect.either(PlaneConfig))
    const projects = Either.getOrUndefined(yield* Effect.either(projectsConfig))
    const own = yield* HttpClient.HttpClient
    const tokens = new Set(projects?.all.map((project) => project.names.apiToken))
    const asking = surveyed === undefined
      ? Requests.layer(
        allowanceFor(
          projects?.all.length ?? 1,
          tokens.size,
          [asksMembers, isAttentionSet].flatMap((asks) => projects?.all.filter(asks) ?? []).length
        ),
        "doctor has sent as many requests as it may"
      )
      : Requests.layer(surveyed.left, "init has sent as many requests as it may: plane-sync doctor asks")

    return yield* Effect.gen(function*() {
      if (config === undefined || projects === undefined) yield* skip("Plane's address", wrongSetting)
      const version = config === undefined || projects === undefined
        ? undefined
        : yield* checkPlane(checkup, { config, projects, isServed: database.isServed, surveyed, write })

      const server = database.isServed ? yield* Effect.option(ServerConfig) : Option.none()
      const health = Option.isSome(server)
        ? yield* Effect.option(Effect.provideService(askHealth(urlOf(server.value)), HttpClient.HttpClient, own))
        : Option.none()
      const heard: Heard = {
        stored: database.heard,
        health: Option.getOrUndefined(health),
        projects: projects?.all ?? [],
        plane: config,
        gitea: Either.getOrUndefined(yield* Effect.either(GiteaConfig))?.api?.url
      }
      yield* check("Plane's webhooks", checkWebhooks("plane", heard))
      yield* check("Gitea", checkGitea(projects?.all ?? []))
      yield* check("Gitea's webhooks", checkWebhooks("gitea", heard))
      return {
        requests: (yield* Requests).sent(),
        reach: { version, isAnybodyAsked: projects?.all.some(isAttentionSet) === true }
      }
    }).pipe(Effect.provide(Layer.merge(RateBudgets.layer, asking)))
  })

/**
 * Checks everything that a person may have got wrong, from the settings to the webhooks. Nothing is changed, but for a
 * comment that `write` asks for.
 */
export const diagnose = <R>(
  { isOfDotEnv, surveyed, variableNames, write }: DoctorOptions<R>
): Effect.Effect<Diagnosis, never, FileSystem.FileSystem | Migrations | R> =>
  Effect.gen(function*() {
    const checkup = yield* makeCheckup
    yield* checkup.check("settings", checkSettings(isOfDotEnv, variableNames))
    const database = yield* checkFile(checkup)
    const { reach, requests } = yield* checkNetwork(checkup, database, { surveyed, write }).pipe(
      Effect.provide(connections),
      // What is wrong with a setting was said above.
      Effect.catchAll(() =>
        Effect.as(
          Effect.forEach(
            ["Plane's address", "Plane's webhooks", "Gitea", "Gitea's webhooks"],
            (name) => checkup.skip(name, wrongSetting)
          ),
          { requests: 0, reach: { version: undefined, isAnybodyAsked: false } }
        )
      )
    )
    yield* checkup.check("agents", checkAgents(isOfDotEnv))
    yield* checkup.check("notices", checkNotices(reach))
    return { checked: checkup.checked(), requests }
  }).pipe(Effect.scoped)
