import type { Scope } from "effect"
import { Duration, Effect, Option, Schedule } from "effect"
import { isGlob, matchesAny } from "../base/Glob.js"
import { epochMillis } from "../base/Time.js"
import { Projects } from "../domain/Projects.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import { WakeUps } from "../storage/WakeUps.js"
import { TaskStore } from "../tasks/TaskStore.js"
import { claimReader } from "./Claims.js"
import type { Concerned } from "./Concerned.js"
import { readConcerned, rememberConcerned, tasksConcerned } from "./Concerned.js"
import type { Repository } from "./Facts.js"
import type { GiteaClient } from "./GiteaClient.js"
import { Gitea } from "./GiteaClient.js"
import type { GiteaError } from "./GiteaError.js"
import { onlyNews, readOpenIn } from "./PullRequestRows.js"
import { readRepositories, rememberRepositories } from "./RepositoryRows.js"
import { TaskPullRequests } from "./TaskPullRequests.js"

/** How often the repositories are asked for pull requests whose hooks were lost. */
const every = Duration.minutes(10)

/** How soon after a round that failed. */
const againAfter = Duration.minutes(1)

/** How many repositories are asked at the same time. */
const mostAsked = 2

/** Asks about what no hook told. */
export interface Asking {
  /**
   * Reads the first page of a repository's open pull requests, which has all that was changed lately, and has the tasks
   * of its open pull requests look again.
   */
  readonly about: (repository: Repository) => Effect.Effect<void, GiteaError | StorageError>
  /** Reads the first page of each repository, and all pages the first time. Says whether all answered. */
  readonly round: Effect.Effect<boolean, StorageError>
}

/** Those repositories are asked that the settings name, and those that were heard of and count. */
export const makeAsking = (
  client: GiteaClient
): Effect.Effect<Asking, never, Projects | Storage | TaskPullRequests | TaskStore | WakeUps> =>
  Effect.gen(function*() {
    const { project } = yield* Projects
    const { read, sql, write } = yield* Storage
    const tasks = yield* TaskStore
    const pullRequests = yield* TaskPullRequests
    const wakeUps = yield* WakeUps
    const claimsOf = claimReader(project.identifier)
    const { repositories: globs } = project.pullRequests
    const counts = globs.length === 0 ? () => true : matchesAny(globs)
    const listed = new Set<number>()

    const makeDue = (found: ReadonlyArray<Concerned>) =>
      Effect.gen(function*() {
        if (found.length === 0) return
        const due = yield* tasksConcerned(tasks, pullRequests, found)
        if (due.length === 0) return
        yield* write(Effect.forEach(due, tasks.touch, { discard: true }))
        yield* wakeUps.notify
      })

    /** The repository under its present name. */
    const relocated = ({ id }: Repository) =>
      Effect.tap(client.repository(id), (repository) => write(rememberRepositories(sql, [repository])))

    const list = (repository: Repository, which: "all" | "first page") =>
      Effect.gen(function*() {
        const found = yield* client.openPullRequests(repository, which).pipe(
          Effect.catchIf(
            ({ reason }) => reason === "NotFound",
            () => Effect.flatMap(relocated(repository), (present) => client.openPullRequests(present, which))
          )
        )
        const news = (yield* read(onlyNews(sql, repository.id, found))).map((seen) => ({
          seen,
          claims: claimsOf(seen)
        }))
        if (news.length === 0) return []
        return (yield* write(
          Effect.flatMap(
            epochMillis,
            (now) => Effect.forEach(news, ({ claims, seen }) => rememberConcerned(sql, seen, claims, now))
          )
        )).flat()
      })

    /** The repositories that the settings name, and that nobody has told of yet. */
    const named = (known: ReadonlyArray<Repository>) =>
      Effect.forEach(globs.filter((name) => !isGlob(name) && !known.some((one) => isNamed(one, name))), (name) =>
        client.repositoryNamed(name).pipe(
          Effect.tap((repository) =>
            write(rememberRepositories(sql, [repository]))
          ),
          Effect.option,
          Effect.tap(Option.match({
            onNone: () => Effect.logWarning(`${name} of ORCH_GITEA_REPOSITORIES cannot be read in Gitea`),
            onSome: () => Effect.void
          }))
        ))

    const ask = (repository: Repository) =>
      Effect.gen(function*() {
        yield* makeDue(yield* list(repository, listed.has(repository.id) ? "first page" : "all"))
        listed.add(repository.id)
        return true
      }).pipe(
        Effect.catchTag("GiteaError", (error) =>
          Effect.as(
            Effect.logWarning(`What hooks of ${repository.name} may have been lost is not known: ${error.message}`),
            // What is not there is no reason to ask again soon.
            error.reason === "NotFound"
          ))
      )

    return {
      about: (repository) =>
        Effect.gen(function*() {
          if (!counts(repository.name)) return
          yield* list(repository, "first page")
          const open = yield* read(readOpenIn(sql, repository.id))
          yield* makeDue(yield* read(Effect.forEach(open, (id) => readConcerned(sql, id))))
        }),
      round: Effect.gen(function*() {
        const known = yield* read(readRepositories(sql))
        const found = yield* named(known)
        const all = [...known, ...found.flatMap(Option.toArray)].filter(({ name }) => counts(name))
        const answered = yield* Effect.forEach(all, ask, { concurrency: mostAsked })
        return answered.every((one) => one) && found.every(Option.isSome)
      })
    }
  })

const isNamed = (repository: Repository, name: string) => repository.name.toLowerCase() === name.toLowerCase()

/**
 * Asks Gitea in rounds for what no hook told, until the scope closes; nothing without a token. A pull request whose
 * hooks were all lost, or that is older than the installation, is found by them.
 */
export const startRounds: Effect.Effect<
  void,
  never,
  Gitea | Projects | Scope.Scope | Storage | TaskPullRequests | TaskStore | WakeUps
> = Effect.gen(function*() {
  const client = Option.getOrUndefined(yield* Gitea)
  if (client === undefined) return
  const { round } = yield* makeAsking(client)
  const turn = Effect.gen(function*() {
    const answered = yield* Effect.catchAll(
      round,
      (error) => Effect.as(Effect.logWarning(`Gitea was not asked for lost hooks: ${error.message}`), false)
    )
    yield* Effect.sleep(answered ? every : againAfter)
  })
  yield* Effect.forkScoped(Effect.repeat(turn, Schedule.forever))
}).pipe(Effect.annotateLogs({ service: "Gitea" }))
