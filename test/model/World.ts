import { Effect } from "effect"
import { createHash } from "node:crypto"
import { createServer } from "node:http"
import { changed, fixture } from "../webhooks/Fixtures.js"
import type { Said, Text } from "./Texts.js"

/** What protects the default branch of the first repository. */
export interface Protection {
  readonly approvals: number
  /** Undefined: its status check is off. */
  readonly checks: ReadonlyArray<string> | undefined
}

export interface Repository {
  readonly id: number
  readonly name: string
  readonly defaultBranch: string
}

export const repositories: readonly [Repository, Repository] = [
  { id: 41, name: "rideworks/trail-maps", defaultBranch: "main" },
  { id: 42, name: "rideworks/trail-app", defaultBranch: "trunk" }
]

/** Whoever opens pull requests, and reviews. Gitea takes the word of the first three. */
export const people = ["marta", "jonas", "otto", "stranger"] as const
export type Person = typeof people[number]
export const hasRights = (person: Person) => person !== "stranger"

export interface Review {
  readonly id: number
  readonly by: Person
  readonly approved: boolean
  /** The head when it was given. */
  readonly head: string
  /** No hook tells of it. */
  dismissed: boolean
}

/** A pull request as it is. */
export interface Pull {
  readonly repository: Repository
  readonly number: number
  readonly author: Person
  readonly fork: boolean
  readonly createdAt: number
  said: Said
  base: string
  head: string
  state: "open" | "closed" | "merged"
  /** In seconds. */
  mergedAt: number | undefined
  updatedAt: number
  readonly reviews: Array<Review>
}

/** The newest status of a context. */
export interface Status {
  readonly id: number
  readonly context: string
  readonly state: string
  /** In seconds. */
  readonly at: number
}

/** What Gitea delivers once, if at all. */
export interface Hook {
  readonly event: string
  readonly body: string
  /** The pull request that it shows; none for a check. */
  readonly pull: Pull | undefined
  /** What the pull request says, as the hook shows it. */
  readonly said: Said | undefined
  /** The pull request's state, as the hook shows it. */
  readonly state: Pull["state"] | undefined
  readonly repository: Repository
}

export const sha = (name: string) => createHash("sha1").update(name).digest("hex")

const moment = (seconds: number) => new Date(seconds * 1_000).toISOString().replace(/\.\d+Z$/, "Z")

type Json = { readonly [key: string]: unknown }

/** A fixture's body, of which only these parts are looked at here. */
const bodyOf = (name: string) =>
  JSON.parse(fixture(`gitea/${name}`)) as Json & {
    readonly repository: Json
    readonly pull_request: Json & { readonly base: Json; readonly head: Json }
  }

const user = (login: string) => ({ login, username: login })

/** What the forge is, and may be asked. It does as Gitea does, and judges nothing. */
export interface World {
  readonly url: string
  readonly token: string
  readonly pulls: Array<Pull>
  readonly statuses: Map<string, Map<string, Status>>
  /** Requests that were asked, and those that are not answered yet. */
  readonly asked: () => { readonly count: number; readonly open: number }
  readonly open: (
    pull: Omit<Pull, "number" | "createdAt" | "updatedAt" | "reviews" | "head" | "state" | "mergedAt">
  ) => ReadonlyArray<Hook>
  readonly push: (pull: Pull) => ReadonlyArray<Hook>
  readonly check: (pull: Pull, context: string, state: string) => ReadonlyArray<Hook>
  readonly review: (pull: Pull, by: Person, approved: boolean) => ReadonlyArray<Hook>
  readonly edit: (
    pull: Pull,
    change: { readonly title?: Text; readonly body?: Text; readonly base?: string }
  ) => ReadonlyArray<Hook>
  readonly close: (pull: Pull) => ReadonlyArray<Hook>
  readonly reopen: (pull: Pull) => ReadonlyArray<Hook>
  readonly merge: (pull: Pull) => ReadonlyArray<Hook>
}

export interface Forge {
  readonly version: string
  readonly protection: Protection | undefined
  /** Whether a body says that it is a draft, beside its title. */
  readonly saysDraft: boolean
}

const token = "9f1c2a77e05b4d"

/** A Gitea on a socket, which goes by the given clock. */
export const makeWorld = ({ protection, saysDraft, version }: Forge, now: () => number) =>
  Effect.acquireRelease(
    Effect.async<World & { readonly shut: () => void }>((resume) => {
      const pulls: Array<Pull> = []
      const statuses = new Map<string, Map<string, Status>>()
      const seconds = () => Math.floor(now() / 1_000)
      let ids = 1_000
      const nextId = () => (ids += 1)
      let count = 0
      let open = 0

      const repositoryJson = ({ defaultBranch, id, name }: Repository): Json => ({
        ...bodyOf("status_success").repository,
        id,
        name: name.split("/")[1],
        full_name: name,
        default_branch: defaultBranch
      })

      const pullJson = (pull: Pull): Json => {
        const { author, base, createdAt, fork, head, mergedAt, number, repository, said, state, updatedAt } = pull
        const template = bodyOf("pull_request_opened").pull_request
        return {
          ...Object.fromEntries(Object.entries(template).filter(([name]) => name !== "draft")),
          id: repository.id * 1_000 + number,
          number,
          user: user(author),
          title: said.title.text,
          body: said.body.text,
          state: state === "open" ? "open" : "closed",
          ...(saysDraft ? { draft: said.title.draft === true } : {}),
          merged: state === "merged",
          merged_at: mergedAt === undefined ? null : moment(mergedAt),
          base: {
            ...template.base,
            label: base,
            ref: base,
            repo_id: repository.id,
            repo: repositoryJson(repository)
          },
          head: {
            ...template.head,
            label: said.branch.text,
            ref: said.branch.text,
            sha: head,
            repo_id: fork ? 77 : repository.id
          },
          created_at: moment(createdAt),
          updated_at: moment(updatedAt)
        }
      }

      const hook = (event: string, file: string, pull: Pull, change: Json = {}): ReadonlyArray<Hook> => [{
        event,
        pull,
        said: pull.said,
        state: pull.state,
        repository: pull.repository,
        body: JSON.stringify(
          {
            ...bodyOf(file),
            number: pull.number,
            pull_request: pullJson(pull),
            repository: repositoryJson(pull.repository),
            ...change
          },
          null,
          2
        )
      }]

      const touched = (pull: Pull) => {
        pull.updatedAt = seconds()
      }

      const branchJson = (repository: Repository, name: string): Json | undefined => {
        const isProtected = repository === repositories[0] && name === repository.defaultBranch &&
          protection !== undefined
        return {
          name,
          protected: isProtected,
          required_approvals: isProtected ? protection.approvals : 0,
          enable_status_check: isProtected && protection.checks !== undefined,
          status_check_contexts: isProtected ? protection.checks ?? [] : [],
          user_can_push: false,
          user_can_merge: false,
          effective_branch_protection_name: isProtected ? name : ""
        }
      }

      const statusJson = ({ at, context, id, state }: Status): Json => ({
        id,
        status: state,
        context,
        description: state,
        target_url: "",
        creator: user("builder"),
        created_at: moment(at),
        updated_at: moment(at)
      })

      const reviewJson = (pull: Pull, { approved, by, dismissed, head, id }: Review): Json => ({
        id,
        user: user(by),
        state: approved ? "APPROVED" : "REQUEST_CHANGES",
        body: approved ? "" : "Too steep",
        commit_id: head,
        stale: head !== pull.head,
        official: hasRights(by) && (branchJson(pull.repository, pull.base)?.["protected"] === true || isNew),
        dismissed
      })
      const isNew = !version.startsWith("1.22")

      const answerTo = (path: string, query: URLSearchParams): unknown => {
        if (path === "/version") return { version }
        const byId = /^\/repositories\/(\d+)$/.exec(path)
        if (byId !== null) {
          const found = repositories.find(({ id }) => String(id) === byId[1])
          return found === undefined ? undefined : repositoryJson(found)
        }
        const [, name, rest = ""] = /^\/repos\/([^/]+\/[^/]+)(?:\/(.*))?$/.exec(path) ?? []
        const repository = repositories.find((one) => one.name === name)
        if (repository === undefined) return undefined
        if (rest === "") return repositoryJson(repository)
        const own = pulls.filter((pull) => pull.repository === repository)
        if (rest === "pulls") {
          const state = query.get("state") ?? "open"
          return own.filter((pull) => state === "all" || (pull.state === "open") === (state === "open"))
            .sort((one, other) => other.updatedAt - one.updatedAt || other.number - one.number)
            .map(pullJson)
        }
        const [, number, more] = /^pulls\/(\d+)(?:\/(reviews))?$/.exec(rest) ?? []
        const pull = own.find((one) => String(one.number) === number)
        if (number !== undefined) {
          if (pull === undefined) return undefined
          return more === undefined ? pullJson(pull) : pull.reviews.map((review) => reviewJson(pull, review))
        }
        const [, branch] = /^branches\/(.+)$/.exec(rest) ?? []
        if (branch !== undefined) return branchJson(repository, branch)
        const [, commit, kind] = /^commits\/([^/]+)\/(status|statuses)$/.exec(rest) ?? []
        if (commit === undefined) return undefined
        const found = [...(statuses.get(commit) ?? new Map<string, Status>()).values()].map(statusJson)
        // Its own word for all of them together is never needed (13).
        return kind === "statuses" ? found : { state: "bogus", sha: commit, total_count: found.length, statuses: found }
      }

      const pageOf = (answer: unknown, query: URLSearchParams): { readonly page: unknown; readonly total?: number } => {
        const from = (Number(query.get("page") ?? "1") - 1) * Number(query.get("limit") ?? "50")
        const to = from + Number(query.get("limit") ?? "50")
        if (Array.isArray(answer)) return { page: answer.slice(from, to), total: answer.length }
        if (typeof answer === "object" && answer !== null && "statuses" in answer && Array.isArray(answer.statuses)) {
          return { page: { ...answer, statuses: answer.statuses.slice(from, to) } }
        }
        return { page: answer }
      }

      const server = createServer((request, response) => {
        count += 1
        open += 1
        response.on("close", () => {
          open -= 1
        })
        const url = new URL(request.url ?? "/", "http://gitea.test")
        const path = decodeURIComponent(url.pathname.replace(/^\/api\/v1/, ""))
        const isKnown = request.headers.authorization === `token ${token}`
        const answer = isKnown ? answerTo(path, url.searchParams) : undefined
        if (answer === undefined) {
          response.writeHead(isKnown ? 404 : 401).end("{}")
          return
        }
        const { page, total } = pageOf(answer, url.searchParams)
        response.writeHead(200, {
          "content-type": "application/json",
          ...(total === undefined ? {} : { "x-total-count": String(total) })
        })
        response.end(JSON.stringify(page))
      })

      const world: Omit<World, "url"> = {
        token,
        pulls,
        statuses,
        asked: () => ({ count, open }),
        open: (what) => {
          const at = seconds()
          const number = pulls.filter(({ repository }) => repository === what.repository).length + 80
          const pull: Pull = {
            ...what,
            number,
            createdAt: at,
            updatedAt: at,
            reviews: [],
            head: sha(`${what.repository.name} ${number} ${nextId()}`),
            state: "open",
            mergedAt: undefined
          }
          pulls.push(pull)
          return hook("pull_request", "pull_request_opened", pull)
        },
        push: (pull) => {
          pull.head = sha(`${pull.repository.name} ${pull.number} ${nextId()}`)
          touched(pull)
          return hook("pull_request_sync", "pull_request_synchronized", pull)
        },
        check: ({ head, repository }, context, state) => {
          const status = { id: nextId(), context, state, at: seconds() }
          const held = statuses.get(head) ?? new Map<string, Status>()
          statuses.set(head, held)
          held.set(context, status)
          return [{
            event: "status",
            pull: undefined,
            said: undefined,
            state: undefined,
            repository,
            body: changed("gitea/status_success", {
              id: status.id,
              sha: head,
              context,
              state,
              description: state,
              commit: { id: head },
              created_at: moment(status.at),
              updated_at: moment(status.at),
              repository: repositoryJson(repository)
            })
          }]
        },
        review: (pull, by, approved) => {
          pull.reviews.push({ id: nextId(), by, approved, head: pull.head, dismissed: false })
          touched(pull)
          const word = approved ? "approved" : "rejected"
          return hook(`pull_request_review_${word}`, `review_${word}`, pull, {
            sender: user(by),
            review: { type: `pull_request_review_${word}`, content: approved ? "" : "Too steep" }
          })
        },
        edit: (pull, { base, body, title }) => {
          const before = pull.said
          pull.said = { ...before, title: title ?? before.title, body: body ?? before.body }
          const from = pull.base
          pull.base = base ?? from
          touched(pull)
          return hook("pull_request", "pull_request_edited_title", pull, {
            changes: {
              ...(title === undefined ? {} : { title: { from: before.title.text } }),
              ...(body === undefined ? {} : { body: { from: before.body.text } }),
              ...(base === undefined ? {} : { ref: { from } })
            }
          })
        },
        close: (pull) => {
          pull.state = "closed"
          touched(pull)
          return hook("pull_request", "pull_request_closed_unmerged", pull)
        },
        reopen: (pull) => {
          pull.state = "open"
          touched(pull)
          return hook("pull_request", "pull_request_reopened", pull)
        },
        merge: (pull) => {
          pull.state = "merged"
          pull.mergedAt = seconds()
          touched(pull)
          return hook("pull_request", "pull_request_closed_merged", pull)
        }
      }
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        resume(Effect.succeed({
          ...world,
          url: `http://127.0.0.1:${port}`,
          shut: () => {
            server.closeAllConnections()
            server.close()
          }
        }))
      })
    }),
    ({ shut }) => Effect.sync(shut)
  )
