import type { Scope } from "effect"
import { Duration, Effect } from "effect"
import { isGlob } from "../base/Glob.js"
import type { EpochMillis } from "../base/Time.js"
import { epochMillis, later } from "../base/Time.js"
import { Projects } from "../domain/Projects.js"
import { Leadership } from "../outbox/Leadership.js"
import { startDueWork } from "../storage/DueWork.js"
import { Storage } from "../storage/Storage.js"
import type { StorageError } from "../storage/StorageError.js"
import { WakeUps } from "../storage/WakeUps.js"
import { TaskStore } from "../tasks/TaskStore.js"
import { claimReader } from "./Claims.js"
import type { Concerned } from "./Concerned.js"
import { readConcerned, rememberConcerned, tasksConcerned } from "./Concerned.js"
import type { Repository } from "./Facts.js"
import { forgeOf, projectsIn } from "./Forges.js"
import type { GiteaClient } from "./GiteaClient.js"
import { Gitea } from "./GiteaClient.js"
import type { GiteaError } from "./GiteaError.js"
import { missedOf } from "./Missed.js"
import type { Known } from "./PullRequestRows.js"
import { forgetOpen, readKnown, readOpenIn, rememberAnswer } from "./PullRequestRows.js"
import { makeRenewal } from "./Renewal.js"
import type { DueRepository } from "./RepositoryRows.js"
import {
  holdRepository,
  makeRepositoriesDue,
  readDueRepositories,
  readKnownNames,
  rememberRepositories,
  settleRepository
} from "./RepositoryRows.js"
import { idOf, isCounted } from "./Standing.js"
import { TaskPullRequests } from "./TaskPullRequests.js"

/** How often each repository is asked for pull requests whose hooks were lost. */
const every = Duration.minutes(10)

/** How soon after a failure. */
const againAfter = Duration.minutes(1)

/** What is not there is no reason to ask again soon. */
const againAfterError = ({ reason }: GiteaError) => reason === "NotFound" ? every : againAfter

/** How many repositories are asked at the same time. */
const concurrency = 2

/** How many pull requests that are not open any more are asked about in a round. The others are in the next one. */
const mostGone = 50

/**
 * Reads a repository's open pull requests: all pages the first time, and then the first one, which has all that was
 * changed lately. Those that are not among them any more, though nobody told so, are asked about, each once. The tasks
 * that are concerned by news look again. Where something was delivered that is no fact itself, all tasks of the
 * repository's open pull requests do.
 */
export const makeAsking = (
  client: GiteaClient,
  forge: number
): Effect.Effect<
  (due: DueRepository) => Effect.Effect<void, StorageError>,
  never,
  Projects | Storage | TaskPullRequests | TaskStore | WakeUps
> =>
  Effect.gen(function*() {
    const projects = projectsIn(yield* Projects, forge)
    const storage = yield* Storage
    const { read, sql, write } = storage
    const tasks = yield* TaskStore
    const pullRequests = yield* TaskPullRequests
    const wakeUps = yield* WakeUps
    const claimsOf = claimReader(projects.map(({ identifier }) => identifier))
    const isOfAny = (name: string) =>
      projects.some(({ pullRequests: { repositories } }) => isCounted(repositories, name))
    // What is known as open though Gitea does not say so, since all pages of a repository were read.
    const surpluses = new Map<number, number>()
    // Those that were asked about and are open, though no list has them, and when they were changed last.
    const unlisted = new Map<string, EpochMillis>()
    // The repositories that were not found.
    const missing = new Set<number>()

    const makeDue = (found: ReadonlyArray<Concerned>) =>
      Effect.gen(function*() {
        const due = yield* tasksConcerned(tasks, pullRequests, found)
        if (due.length === 0) return
        yield* write(Effect.forEach(due, tasks.touch, { discard: true }))
        yield* wakeUps.notify
      })

    const renew = makeRenewal(client, storage)

    /** What became of one that is not open any more. One that cannot be read stays as it is. */
    const renewed = ({ pullRequest }: Known) =>
      renew(pullRequest).pipe(
        Effect.catchIf(
          (error) => error._tag === "GiteaError" && error.reason !== "Unreachable",
          () => Effect.succeed(pullRequest)
        ),
        Effect.tap(({ open }) => Effect.sync(() => open && unlisted.set(idOf(pullRequest), pullRequest.updatedAt))),
        Effect.zipRight(read(readConcerned(sql, pullRequest)))
      )

    /** Asks for a list and remembers what it tells. `surplus`: see `Missed`. */
    const take = (repository: Repository, which: "all" | "first page") =>
      Effect.gen(function*() {
        const askedAt = yield* epochMillis
        const list = yield* client.openPullRequests(repository, which)
        const known = yield* read(readKnown(sql, repository.id, list.seen.map(({ number }) => number)))
        const { changed, gone, news, surplus } = missedOf(known, list, askedAt)
        const told = news.map((seen) => ({ seen, claims: claimsOf(seen) }))
        const nameless = gone.filter(({ isNamed }) => !isNamed).map(({ pullRequest }) => pullRequest.number)
        const heard = told.length + changed.length + nameless.length === 0 ? [] : yield* write(Effect.gen(function*() {
          yield* holdRepository(sql, repository.id)
          const now = yield* epochMillis
          const found = yield* Effect.forEach(told, ({ claims, seen }) => rememberConcerned(sql, seen, claims, now))
          yield* Effect.forEach(changed, ({ answer, held }) => rememberAnswer(sql, held, answer, now))
          if (nameless.length > 0) yield* forgetOpen(sql, repository.id, nameless, now)
          return [...found.flat(), ...(yield* Effect.forEach(changed, ({ held }) => readConcerned(sql, held)))]
        }))
        for (const seen of list.seen) unlisted.delete(idOf(seen))
        const ended = gone.filter(({ isNamed, pullRequest }) =>
          isNamed && unlisted.get(idOf(pullRequest)) !== pullRequest.updatedAt
        )
        const became = yield* Effect.forEach(ended.slice(0, mostGone), renewed, { concurrency })
        return { concerned: [...heard, ...became], surplus }
      })

    /** The first page, or all where it cannot have told everything: others were closed, or opened, unheard. */
    const takeNeeded = (repository: Repository) =>
      Effect.gen(function*() {
        const { id } = repository
        const first = yield* take(repository, surpluses.has(id) ? "first page" : "all")
        if (!surpluses.has(id) || first.surplus === surpluses.get(id)) {
          if (!surpluses.has(id)) surpluses.set(id, first.surplus)
          return first.concerned
        }
        const all = yield* take(repository, "all")
        surpluses.set(id, all.surplus)
        return [...first.concerned, ...all.concerned]
      })

    const list = (repository: Repository) => {
      // By its id, where its name is not what it was.
      const relocated = Effect.tap(
        client.repository(repository.id),
        (present) => write(rememberRepositories(sql, [present]))
      )
      const again = Effect.flatMap(relocated, takeNeeded)
      // One that is nowhere costs one request.
      const taken = missing.has(repository.id) ? again : Effect.catchIf(
        takeNeeded(repository),
        (error) => error._tag === "GiteaError" && error.reason === "NotFound",
        () => again
      )
      return Effect.tapBoth(taken, {
        onSuccess: () => Effect.sync(() => missing.delete(repository.id)),
        onFailure: (error) =>
          Effect.sync(() => {
            if (error._tag === "GiteaError" && error.reason === "NotFound") missing.add(repository.id)
          })
      })
    }

    const ask = (due: DueRepository) =>
      Effect.gen(function*() {
        const news = yield* list(due)
        const open = due.stirs === 0 ? [] : yield* read(readOpenIn(sql, due.id))
        yield* makeDue([
          ...news,
          ...(yield* read(Effect.forEach(open, (id) => readConcerned(sql, id))))
        ])
        return every
      }).pipe(
        Effect.catchTag("GiteaError", (error: GiteaError) =>
          Effect.as(
            Effect.logWarning(`Which hooks of ${due.name} were lost is not known: ${error.message}`),
            againAfterError(error)
          ))
      )

    return (due) =>
      Effect.gen(function*() {
        const pause = isOfAny(due.name) ? yield* ask(due) : every
        const now = yield* epochMillis
        yield* write(settleRepository(sql, due, now, later(now, pause)))
      })
  })

/** Looks up the repositories that the settings name and that nobody has told of yet, until all are known. */
const findNamed = (client: GiteaClient, forge: number) =>
  Effect.gen(function*() {
    const projects = projectsIn(yield* Projects, forge)
    const { read, sql, write } = yield* Storage
    const wakeUps = yield* WakeUps
    // Where each is set, by its name.
    const settings = new Map(projects.flatMap(({ names, pullRequests }) =>
      pullRequests.repositories.filter((name) => !isGlob(name)).map((name) => [name.toLowerCase(), names.repositories])
    ))
    const names = Array.from(settings.keys())
    const unreadable = new Set<string>()
    /** Looks one up, and says when it is to be looked up again if it is not known then. */
    const find = (name: string) =>
      client.repositoryNamed(name).pipe(
        Effect.flatMap((repository) =>
          Effect.zipRight(write(rememberRepositories(sql, [repository])), wakeUps.notify)
        ),
        Effect.as(every),
        Effect.catchTag("GiteaError", (error) =>
          Effect.gen(function*() {
            if (!unreadable.has(name)) {
              unreadable.add(name)
              yield* Effect.logWarning(`${name} of ${settings.get(name)} cannot be read: ${error.message}`)
            }
            return againAfterError(error)
          }))
      )
    const turn = Effect.gen(function*() {
      const known = yield* read(readKnownNames(sql, forge, names))
      const missing = names.filter((name) => !known.has(name))
      if (missing.length === 0) return undefined
      return (yield* Effect.forEach(missing, find)).reduce((first, next) => Duration.min(first, next), every)
    }).pipe(Effect.catchAll((error) => Effect.as(Effect.logWarning(error.message), againAfter)))
    for (;;) {
      const pause = yield* turn
      if (pause === undefined) return
      yield* Effect.sleep(pause)
    }
  })

/**
 * Asks Gitea for what no hook told, while this process is the leader; nothing without a token. A pull request whose
 * hooks were all lost, or that is older than the installation, is found by them.
 */
export const startRounds: Effect.Effect<
  void,
  never,
  Gitea | Leadership | Projects | Scope.Scope | Storage | TaskPullRequests | TaskStore | WakeUps
> = Effect.gen(function*() {
  const { clients } = yield* Gitea
  if (clients.size === 0) return
  const { read, sql, trouble, write } = yield* Storage
  const wakeUps = yield* WakeUps
  const askings = new Map<number, Effect.Effect.Success<ReturnType<typeof makeAsking>>>()
  for (const [forge, client] of clients) askings.set(forge, yield* makeAsking(client, forge))

  /** One of a Gitea that cannot be asked, or that no project has any more, is left for the next round. */
  const perform = (due: DueRepository) =>
    askings.get(forgeOf({ repository: due.id }))?.(due) ??
      Effect.flatMap(epochMillis, (now) => write(settleRepository(sql, due, now, later(now, every))))

  const { whileLeading } = yield* Leadership
  yield* whileLeading(() =>
    Effect.gen(function*() {
      const now = yield* epochMillis
      yield* trouble.retry<void, never>(write(makeRepositoriesDue(sql, now)))
      for (const [forge, client] of clients) yield* Effect.forkScoped(findNamed(client, forge))
      yield* startDueWork({
        concurrency,
        trouble,
        wakeUps,
        maxAhead: every,
        read: (limit, furthest) => read(readDueRepositories(sql, limit, furthest)),
        perform
      })
    })
  )
}).pipe(Effect.annotateLogs({ service: "Gitea" }))
