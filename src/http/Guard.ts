import type { ServerConfig } from "../config/ServerConfig.js"
import { isLoopback } from "../config/ServerConfig.js"

/** The host's name in a `Host` header: without port, without IPv6's brackets. */
const hostname = (header: string): string | undefined => {
  const url = `http://${header}`
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[(.*)\]$/, "$1").toLowerCase() : undefined
}

const origin = (header: string): string | undefined => URL.canParse(header) ? new URL(header).host : undefined

/**
 * Why a request is refused as one that a foreign page made a browser send, for that reaches loopback too; none when it
 * is not.
 *
 * `Origin`, when there is one, has to be this server, port included. `Host` has to name this machine's loopback or
 * `ORCH_HOST`: another name is one that a foreign page let point here. A server on anything but loopback may have any
 * name; it has a token, which no foreign page knows.
 */
export const guard = ({ host }: ServerConfig) => {
  const anyName = !isLoopback(host)
  return (headers: Readonly<Record<string, string | undefined>>): string | undefined => {
    const given = headers.host ?? ""
    const name = hostname(given)
    if (name === undefined || !(anyName || isLoopback(name) || name === host.toLowerCase())) {
      return `Foreign Host ${JSON.stringify(given.slice(0, 100))}`
    }
    if (headers.origin !== undefined && origin(headers.origin) !== origin(`http://${given}`)) {
      return `Foreign Origin ${JSON.stringify(headers.origin.slice(0, 100))}`
    }
    return undefined
  }
}

/** Whether webhooks are delivered to this path. */
export const isWebhook = (path: string): boolean => path.startsWith("/webhooks/")

/**
 * Why a request is refused, as `guard` says it, but for a webhook: Plane and Gitea reach this program by whatever name a
 * person gave them, which `Host` then is. It is the signature that tells a delivery from a forgery; and a browser, which
 * alone can be made to send what it is told, always gives the `Origin` of a POST, as neither of the two does.
 */
export const guardPath = (config: ServerConfig) => {
  const foreign = guard(config)
  return (path: string, headers: Readonly<Record<string, string | undefined>>): string | undefined => {
    if (!isWebhook(path)) return foreign(headers)
    return headers.origin === undefined ? undefined : "A browser's request to a webhook"
  }
}
