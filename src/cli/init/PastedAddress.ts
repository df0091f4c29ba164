import { Either } from "effect"
import { address, given } from "../../base/Setting.js"

/** What an address tells: where Plane is, and which workspace, if it is that of one of its pages. */
export interface PastedAddress {
  readonly url: string
  readonly workspace: string | undefined
}

const plane = address("Plane", "http://localhost:8091")

/** What stands behind the workspace in the addresses of Plane's pages. */
const pages = new Set([
  "active-cycles",
  "analytics",
  "browse",
  "drafts",
  "home",
  "notifications",
  "profile",
  "projects",
  "settings",
  "workspace-views"
])

/** Pages of Plane that are of no workspace. */
const ofNone = new Set(["accounts", "create-workspace", "god-mode", "invitations", "profile", "sign-in", "sign-up"])

const decoded = (part: string): string => Either.getOrElse(Either.try(() => decodeURIComponent(part)), () => part)

/**
 * Reads an address that a person has copied from a browser: that of Plane, or that of any page of a workspace, like
 * `http://localhost:8091/acme/projects/`.
 */
export const readAddress = (text: string): Either.Either<PastedAddress, string> => {
  // The page's own query says nothing of where Plane is.
  const wrong = Either.map(plane.parse(text.trim().replace(/[?#].*$/s, "")), (url) => new URL(url))
  return Either.mapBoth(wrong, {
    onLeft: (problem) => `${problem}: expected ${plane.expected}, or that of a page of Plane`,
    onRight: ({ origin, pathname }) => {
      const parts = pathname.split("/").filter((part) => part !== "")
      const api = parts.findIndex((_, index) => parts.slice(index, index + 3).join("/") === "api/v1/workspaces")
      if (api >= 0) {
        const workspace = parts[api + 3]
        return {
          url: [origin, ...parts.slice(0, api)].join("/"),
          workspace: workspace === undefined ? undefined : decoded(workspace)
        }
      }
      const page = parts.findIndex((part, index) => index > 0 && pages.has(part))
      const at = page > 0 ? page - 1 : parts.length === 1 ? 0 : -1
      const workspace = parts[at]
      if (workspace === undefined) {
        return { url: [origin, ...ofNone.has(parts[0] ?? "") ? [] : parts].join("/"), workspace: undefined }
      }
      return {
        url: [origin, ...parts.slice(0, at)].join("/"),
        workspace: ofNone.has(workspace) ? undefined : decoded(workspace)
      }
    }
  })
}

/** A workspace's name as a person writes it. */
export const readWorkspace = (text: string): Either.Either<string, string> => {
  const name = text.trim()
  return /^[\p{L}\p{N}_-]{1,80}$/u.test(name)
    ? Either.right(name)
    : Either.left(`${given(name)} is no name of a workspace: expected one as in Plane's addresses, like "ag_proj"`)
}
