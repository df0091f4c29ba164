import { Effect } from "effect"
import { GiteaAddresses } from "../domain/GiteaAddress.js"
import { wrongUrl } from "../domain/Link.js"
import type { Project } from "../domain/Project.js"
import type { PullRequest } from "./Facts.js"

/** What a page is compared with, and begins with where it is not told. */
interface Addresses {
  /** That of the API; empty where it is not set. */
  readonly url: string
  /** The one that people use, where it is another one. */
  readonly publicUrl: string
}

/**
 * A page as it is stored: an address, or a path on Gitea, as Gitea's own runners give it. Null if there is none, or if
 * it cannot be a link: it is too long, or has a secret.
 */
export const storedPage = (text: string): string | null => {
  const isFit = wrongUrl(text.startsWith("/") && !text.startsWith("//") ? `http://gitea.invalid${text}` : text)
  return isFit === undefined ? text : null
}

const originOf = (page: string | null | undefined) =>
  page !== null && page !== undefined && URL.canParse(page) ? new URL(page).origin : undefined

/** What follows the repository in a page of Gitea's own: "/acme/widgets/pulls/12". Undefined of any other page. */
const within = (
  { name, page }: Pick<PullRequest, "name" | "page">,
  { hash, hostname, origin, pathname, search }: URL,
  { publicUrl, url }: Addresses
): string | undefined => {
  // A mirror elsewhere may have pages with the same paths.
  const isGiteas = [url, publicUrl, page].some((known) => originOf(known) === origin) || !hostname.includes(".")
  if (!isGiteas) return undefined
  const repository = `/${name}/`.toLowerCase()
  const begins = pathname.toLowerCase().indexOf(repository)
  const path = pathname.slice(begins)
  return begins >= 0 && /^(pulls|actions)\//.test(path.slice(repository.length)) ? path + search + hash : undefined
}

/**
 * A page as people reach it. Gitea tells it by its own address (ROOT_URL), which may be one that only its network knows;
 * `ORCH_GITEA_PUBLIC_URL` then stands in its place.
 */
const shown = (pullRequest: Pick<PullRequest, "name" | "page">, page: string, { publicUrl, url }: Addresses) => {
  const base = url === "" ? publicUrl : url
  const address = URL.canParse(page) ? new URL(page) : URL.canParse(page, base) ? new URL(page, base) : undefined
  if (address === undefined) return undefined
  const path = publicUrl === "" ? undefined : within(pullRequest, address, { publicUrl, url })
  return path === undefined ? address.href : publicUrl + path
}

/** The pages of a project's pull requests and their checks, as links of work items. */
export interface Pages {
  /** Undefined where nothing tells the address of Gitea. */
  readonly ofPullRequest: (pullRequest: Pick<PullRequest, "name" | "number" | "page">) => string | undefined
  readonly ofCheck: (
    pullRequest: Pick<PullRequest, "name" | "page">,
    page: string | null | undefined
  ) => string | undefined
}

const pagesOf = (addresses: Addresses): Pages => ({
  ofPullRequest: (pullRequest) =>
    shown(
      pullRequest,
      pullRequest.page ?? `${addresses.url}/${pullRequest.name}/pulls/${pullRequest.number}`,
      addresses
    ),
  ofCheck: (pullRequest, page) => page === null || page === undefined ? undefined : shown(pullRequest, page, addresses)
})

/** Knows the pages of each project. `ORCH_GITEA_PUBLIC_URL` is about the Gitea that projects share. */
export const makePages: Effect.Effect<(project: Pick<Project, "gitea">) => Pages> = Effect.map(
  // Whatever asks Gitea, or sends, fails because of a wrong setting.
  Effect.orElseSucceed(GiteaAddresses, () => ({ url: "", publicUrl: "" })),
  (common) => ({ gitea }) => pagesOf(gitea === undefined ? common : { url: gitea.url, publicUrl: "" })
)
