import type { Scope } from "effect"
import { Duration, Effect, Option, Schedule } from "effect"
import { isGlob } from "../base/Glob.js"
import { epochMillis, later } from "../base/Time.js"
import { Projects } from "../domain/Projects.js"
import { startDueWork } from "../storage/DueWork.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import { makeStorageTrouble } from "../storage/StorageTrouble.js"
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
import type { DueRepository } from "./RepositoryRows.js"
import {
  makeRepositoriesDue,
  readDueRepositories,
  readKnownNames,
  rememberRepositories,
  settleRepository
} from "./RepositoryRows.js"
import { isCounted } from "./Standing.js"
import { TaskPullRequests } from "./TaskPullRequests.js"

/** How often each repository is asked for pull requests whose hooks were lost. */
const every = Duration.minutes(10)

/** How soon after a failure. */
const againAfter = Duration.minutes(1)

/** How many repositories are asked at the same time. */
const concurrency = 2

/**
 * Reads a repository's open pull requests: all pages the first time, and then the first one, which has all that was
 * changed lately. The tasks that are concerned by news look again. Where something was delivered that is no fact itself,
 * all tasks of the repository's open pull requests do.
 */
export const makeAsking = (
  client: GiteaClient
): Effect.Effect<
  (due: DueRepository) => Effect.Effect<void, StorageError>,
  never,
  Projects | Storage | TaskPullRequests | TaskStore | WakeUps
> =>
  Effect.gen(function*() {
    const { project } = yield* Projects
    const { read, sql, write } = yield* Storage
    const tasks = yield* TaskStore
    const pullRequests = yield* TaskPullRequests
    const wakeUps = yield* WakeUps
    const claimsOf = claimReader(project.identifier)
    const { repositories } = project.pullRequests
    const listed = new Set<number>()

    const makeDue = (found: ReadonlyArray<Concerned>) =>
      Effect.gen(function*() {
        const due = yield* tasksConcerned(tasks, pullRequests, found)
        if (due.length === 0) return
        yield* write(Effect.forEach(due, tasks.touch, { discard: true }))
        yield* wakeUps.notify
      })

    const list = (repository: Repository) => {
      const which = listed.has(repository.id) ? "first page" : "all"
      // By its id, where its name is not what it was.
      const relocated = Effect.tap(
        client.repository(repository.id),
        (present) => write(rememberRepositories(sql, [present]))
      )
      return Effect.gen(function*() {
        const found = yield* Effect.catchIf(
          client.openPullRequests(repository, which),
          ({ reason }) => reason === "NotFound",
          () => Effect.flatMap(relocated, (present) => client.openPullRequests(present, which))
        )
        listed.add(repository.id)
        const news = (yield* read(onlyNews(sql, repository.id, found))).map((seen) => ({
          seen,
          claims: claimsOf(seen)
        }))
        if (news.length === 0) return []
        const concerned = yield* write(Effect.flatMap(epochMillis, (now) =>
          Effect.forEach(news, ({ claims, seen }) =>
            rememberConcerned(sql, seen, claims, now))))
        return concerned.flat()
      })
    }

    const ask = (due: DueRepository) =>
      Effect.gen(function*() {
        const news = yield* list(due)
        const open = due.stirs === 0 ? [] : yield* read(readOpenIn(sql, due.id))
        yield* makeDue([
          ...news,
          ...(yield* read(Effect.forEach(open, (id) =>
            readConcerned(sql, id))))
        ])
        return every
      }).pipe(
        Effect.catchTag("GiteaError", (error: GiteaError) =>
          Effect.as(
            Effect.logWarning(`Which hooks of ${due.name} were lost is not known: ${error.message}`),
            // What is not there is no reason to ask again soon.
            error.reason === "NotFound" ? every : againAfter
          ))
      )

    return (due) =>
      Effect.gen(function*() {
        const pause = isCounted(repositories, due.name) ? yield* ask(due) : every
        const now = yield* epochMillis
        yield* write(settleRepository(sql, due, now, later(now, pause)))
      })
  })

/** Looks up the repositories that the settings name and that nobody has told of yet, until all are known. */
const findNamed = (client: GiteaClient) =>
  Effect.gen(function*() {
    const { project } = yield* Projects
    const { read, sql, write } = yield* Storage
    const wakeUps = yield* WakeUps
    const names = project.pullRequests.repositories.filter((name) => !isGlob(name)).map((name) => name.toLowerCase())
    const unreadable = new Set<string>()
    const find = (name: string) =>
      client.repositoryNamed(name).pipe(
        Effect.flatMap((repository) => Effect.zipRight(write(rememberRepositories(sql, [repository])), wakeUps.notify)),
        Effect.catchTag("GiteaError", (error) =>
          Effect.suspend(() => {
            if (unreadable.has(name)) return Effect.void
            unreadable.add(name)
            return Effect.logWarning(`${name} of ORCH_GITEA_REPOSITORIES cannot be read: ${error.message}`)
          }))
      )
    const turn = Effect.gen(function*() {
      const known = yield* read(readKnownNames(sql, names))
      const missing = names.filter((name) => !known.has(name))
      yield* Effect.forEach(missing, find, { discard: true })
      return missing.length === 0
    }).pipe(Effect.catchAll((error) => Effect.as(Effect.logWarning(error.message), false)))
    yield* Effect.repeat(turn, { until: (isDone) => isDone, schedule: Schedule.spaced(againAfter) })
  })

/**
 * Asks Gitea for what no hook told, until the scope closes; nothing without a token. A pull request whose hooks were all
 * lost, or that is older than the installation, is found by them.
 */
export const startRounds: Effect.Effect<
  void,
  StorageError,
  Gitea | Projects | Scope.Scope | Storage | TaskPullRequests | TaskStore | WakeUps
> = Effect.gen(function*() {
  const client = Option.getOrUndefined(yield* Gitea)
  if (client === undefined) return
  const { read, sql, write } = yield* Storage
  const wakeUps = yield* WakeUps
  const now = yield* epochMillis
  yield* write(makeRepositoriesDue(sql, now))
  yield* Effect.forkScoped(findNamed(client))
  yield* startDueWork({
    concurrency,
    trouble: yield* makeStorageTrouble,
    wakeUps,
    maxAhead: every,
    read: (limit, furthest) => read(readDueRepositories(sql, limit, furthest)),
    perform: yield* makeAsking(client)
  })
}).pipe(Effect.annotateLogs({ service: "Gitea" }))
