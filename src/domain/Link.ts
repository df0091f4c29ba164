import { Schema } from "effect"
import { cleanLine } from "../base/Text.js"

/** How many links an event or a report has at most. */
export const mostLinks = 10

/** How many characters Plane takes of a link's title, and of its address. */
const titleLimit = 255
const urlLimit = 2_048

/** What a cut title ends in stands within its limit. */
const cutTitle = titleLimit - 10

// Blanks of any kind, control characters, those that turn the direction of text, and halves of characters.
const unfitForUrl = /[\s\p{Cc}\p{Cf}\p{Cs}]/u

const secretWords = /token|secret|passw|signature|credential|apikey|accesskey|privatekey/
const secretNames: ReadonlySet<string> = new Set(["auth", "authorization", "jwt", "key", "pass", "pwd", "sas", "sig"])

const isSecret = (name: string) => {
  const plain = name.toLowerCase().replace(/[-_.]/g, "")
  return secretWords.test(plain) || name.toLowerCase().split(/[-_.]/).some((word) => secretNames.has(word))
}

/** The names of the parameters in a query, or in a fragment that is written like one. */
const namesIn = (query: string): ReadonlyArray<string> =>
  query.slice(1).split(/[&;?]/).flatMap((part) => Array.from(new URLSearchParams(part).keys()))

/**
 * What is wrong with the address of a link, and what would be right; none if it is fit. Plane shows it to all who see
 * the work item, and fetches it: so it must not hold a secret. The words never repeat it.
 */
export const wrongUrl = (text: string): string | undefined => {
  if (text.length > urlLimit) return `it is too long: expected at most ${urlLimit} characters`
  if (unfitForUrl.test(text) || text.includes("\\")) {
    return "it has a blank, a backslash or a control character: expected these encoded, like %20"
  }
  if (!/^https?:\/\//.test(text)) return "expected an address that begins with http:// or https://, in lower case"
  if (!URL.canParse(text)) return "it is not an address: expected one like \"https://ci.example.com/runs/7\""
  const { hash, hostname, password, search, username } = new URL(text)
  const [authority = ""] = text.slice(text.indexOf("//") + 2).split(/[/?#]/)
  if (username !== "" || password !== "" || authority.includes("@")) {
    return "it has a user name or a password, and Plane shows it to everybody: expected one without"
  }
  const secret = [...namesIn(search), ...namesIn(hash)].some(isSecret)
  if (secret) return "its query has a token, and Plane shows it to everybody: expected an address without one"
  // Plane refuses it, like any other host that it does not take.
  if (hostname.includes("_")) return "its host has an underscore, which Plane refuses: expected another name of it"
  return undefined
}

/** A host that only its own network knows, like `gitea` in `http://gitea:3000`: Plane refuses it. */
export const isDotless = (url: string): boolean => {
  const { hostname } = new URL(url)
  return !hostname.includes(".") && !hostname.startsWith("[") && hostname !== "localhost"
}

const LinkUrl = Schema.String.pipe(
  Schema.filter((text) => wrongUrl(text) ?? true, { jsonSchema: { maxLength: urlLimit, pattern: "^https?://" } }),
  Schema.annotations({ description: "http or https; without a user, a password or a token, because Plane shows it" })
)

/** A link of a work item: of each kind a work item has one, the newest. */
export const Link = Schema.Struct({
  kind: Schema.String.pipe(
    Schema.pattern(/^[a-z0-9-]{1,32}$/, {
      description: "what it leads to: a newer link of a kind takes the place of the one before",
      message: () => "expected 1 to 32 of a-z, 0-9 and -, like \"log\""
    })
  ),
  title: Schema.String.annotations({ description: "what Plane shows of it; cut at 255 characters" }),
  url: LinkUrl
}).annotations({ identifier: "Link" })
export type Link = typeof Link.Type

/** The links of an event or a report. */
export const Links = Schema.Array(Link).pipe(
  Schema.maxItems(mostLinks, { message: () => `expected at most ${mostLinks} links` }),
  Schema.annotations({ description: "links of the work item, one of a kind: Plane shows them beside it" })
)

/** A link with its title as it is stored and shown. */
export const cleanLink = ({ kind, title, url }: Link): Link => ({ kind, title: cleanLine(title, cutTitle), url })

/** The kinds that plane-sync gives itself. */
export const pullRequestKind = "pull-request"
export const checkKind = "check"
