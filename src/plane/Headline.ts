import type { Answer } from "../base/RestClient.js"

/** The address that was asked, without the API's path, and the path of the request. */
export interface Asked {
  readonly url: string
  readonly path: string
}

/** What is looked at of a page: its beginning tells what it is. */
const looked = 16_384

const isPage = ({ body, headers }: Answer) =>
  (headers["content-type"] ?? "").includes("html") || /^\s*<(?:!doctype|html|head|body|h1|center)\b/i.test(body)

const signIn = /type=["']?password|\b(?:sign|log)[ -]?in\b|\blogin\b|\bsso\b|single sign-on/i
const signInPath = /\b(?:sign-?in|log-?in|login|auth|oauth2?|sso|saml)\b/i

const signInPage =
  "a sign-in page stands before Plane's API: let /api/v1/ through without it, or check ORCH_PLANE_API_URL"

const atGateway: Readonly<Record<number, string>> = {
  502: "the proxy in front of Plane gets no answer from Plane",
  503: "the proxy in front of Plane gets no answer from Plane",
  504: "the proxy in front of Plane gets no answer from Plane in time",
  413: "a proxy in front of Plane takes no request as large as this one"
}

const parsed = (text: string, base: string) => URL.canParse(text, base) ? new URL(text, base) : undefined

const ofRedirect = ({ headers }: Answer, { path, url }: Asked): string => {
  const from = new URL(url)
  const to = parsed(headers["location"] ?? "", `${from.origin}${path}`)
  const wrong = "Plane's API is not at this address, which redirects: check ORCH_PLANE_API_URL"
  if (to === undefined || !/^https?:$/.test(to.protocol)) return wrong
  if (signInPath.test(to.pathname) || signInPath.test(to.hostname)) return signInPage
  // Behind the same path the address has moved; anything else is another thing.
  const api = to.pathname.lastIndexOf("/api/v1/")
  if (to.origin === from.origin && (api === -1 || to.pathname === path)) return wrong
  const base = api === -1 ? to.origin : to.origin + to.pathname.slice(0, api)
  return base === url ? wrong : `Plane's API has another address: set ORCH_PLANE_API_URL to ${base}`
}

/**
 * What stands between us and Plane, as an answer shows it that is not Plane's own: in plain words, with what a person
 * can do about it. None for what Plane itself says.
 */
export const headlineOf = (answer: Answer, asked: Asked): string | undefined => {
  const { body, status } = answer
  if (status >= 300 && status < 400) return ofRedirect(answer, asked)
  if (!isPage(answer)) return undefined
  const beginning = body.slice(0, looked)
  if (/plain HTTP request was sent to HTTPS port|HTTP request to an HTTPS server/i.test(beginning)) {
    return `this port speaks https: set ORCH_PLANE_API_URL to ${new URL(asked.url).origin.replace(/^http:/, "https:")}`
  }
  const gateway = atGateway[status]
  if (gateway !== undefined) return gateway
  if (signIn.test(beginning)) return signInPage
  return "a web page answers instead of Plane's API, as from a proxy or another program: check ORCH_PLANE_API_URL"
}
