import type { ServerConfig } from "../config/ServerConfig.js"
import { isLoopback } from "../config/ServerConfig.js"

/** The host's name in a `Host` header: without port, without IPv6's brackets. */
const hostname = (header: string): string | undefined => {
  const url = `http://${header}`
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[(.*)\]$/, "$1").toLowerCase() : undefined
}

const origin = (header: string): string | undefined => URL.canParse(header) ? new URL(header).host : undefined

/**
 * Refuses requests that a foreign web page made a browser send, because these reach loopback too. It returns why a
 * request is refused, or undefined.
 *
 * `Origin`, if there is one, must be this server, port included. `Host` must name this machine's loopback or
 * `ORCH_HOST`, because a foreign page can let a name of its own point here. A server that is not on loopback may have
 * any name: it has a token, which no foreign page knows.
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

/** Whether this path takes webhooks. */
export const isWebhook = (path: string): boolean => path.startsWith("/webhooks/")

/**
 * `guard`, with another rule for webhooks. Plane and Gitea reach this program by whatever name a person gave them, so
 * any `Host` is right. A signature tells a true webhook from a forged one. And a request from a web page is known by
 * its `Origin`: a browser sends one with every POST, and neither of the two senders does.
 */
export const guardPath = (config: ServerConfig) => {
  const foreign = guard(config)
  return (path: string, headers: Readonly<Record<string, string | undefined>>): string | undefined => {
    if (!isWebhook(path)) return foreign(headers)
    return headers.origin === undefined ? undefined : "A browser's request to a webhook"
  }
}
