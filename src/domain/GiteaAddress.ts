import { Config, Either } from "effect"
import { address, defineSetting, unset } from "../base/Setting.js"
import { isDotless, wrongUrl } from "./Link.js"

/** Where Gitea is: for us, and for people. */
export const giteaAddresses = {
  url: defineSetting({
    name: "ORCH_GITEA_URL",
    about:
      "The address of Gitea, without /api/v1. With it and a token, Gitea is asked for merges, checks and approvals: " +
      "before a stage is left, at the start and every 10 minutes.",
    accepts: address("Gitea", "http://localhost:3000"),
    default: unset("")
  }),
  publicUrl: defineSetting({
    name: "ORCH_GITEA_PUBLIC_URL",
    about:
      "The address by which people reach Gitea, if that is another one: links of work items begin with it. Plane " +
      "refuses a host without a dot, like that of http://gitea:3000.",
    accepts: address("Gitea", "https://git.example.com"),
    default: unset("")
  })
}

/** The two addresses; empty where one is not set. */
export interface GiteaAddresses {
  readonly url: string
  readonly publicUrl: string
}

export const GiteaAddresses: Config.Config<GiteaAddresses> = Config.all(giteaAddresses)

/** Why Plane cannot be given a link. `mends`: the setting with which it could, and that it is not said for each. */
export interface NoAddress {
  readonly why: string
  readonly mends: boolean
}

/** What follows an address in a URL; undefined if it does not begin with that. */
const restAfter = (base: string, url: URL): string | undefined => {
  if (!URL.canParse(base)) return undefined
  const { origin, pathname } = new URL(base)
  const path = pathname.replace(/\/+$/, "")
  return url.origin === origin && `${url.pathname}/`.startsWith(`${path}/`)
    ? url.pathname.slice(path.length) + url.search + url.hash
    : undefined
}

/** The address of a link as people, and Plane, reach it. */
export const reachable =
  ({ publicUrl, url: ours }: GiteaAddresses) => (url: string): Either.Either<string, NoAddress> => {
    const wrong = wrongUrl(url)
    if (wrong !== undefined) return Either.left({ why: wrong, mends: false })
    const rest = publicUrl === "" ? undefined : restAfter(ours, new URL(url))
    const shown = rest === undefined ? url : publicUrl + rest
    return isDotless(shown)
      ? Either.left({
        why: `Plane refuses the host ${new URL(shown).hostname}, because it has no dot: set ` +
          `${giteaAddresses.publicUrl.definition.name} to the address by which people reach Gitea`,
        mends: true
      })
      : Either.right(shown)
  }
