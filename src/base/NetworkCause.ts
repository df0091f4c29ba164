import { Data, Predicate } from "effect"

/** The API whose server was not reached. */
export interface Reached {
  /** The address of the API. */
  readonly url: string
  /** What a person looks at: the setting of the address, like "ORCH_PLANE_API_URL". */
  readonly setting: string
}

/** A text of an error, by its name. */
export const textOf = (error: unknown, name: string): string | undefined => {
  const value = Predicate.hasProperty(error, name) ? error[name] : undefined
  return typeof value === "string" && value !== "" ? value : undefined
}

/** An error of a connection to a proxy of the environment, and not to the server itself. */
export class ProxyUnreached
  extends Data.Error<{ readonly message: string; readonly code: string; readonly proxy: string }>
{}

/** The first bytes of TLS's records: an alert and a handshake. */
const tlsRecord = /^[\u0015\u0016]\u0003/

const unknownAuthority =
  "its certificate is signed by an authority that this machine does not know: start plane-sync " +
  "with NODE_EXTRA_CA_CERTS=<the authority's certificate>"

const expectsHttps = ({ setting, url }: Reached) =>
  `this port speaks https: set ${setting} to ${new URL(url).origin.replace(/^http:/, "https:")}`

const expectsHttp = ({ setting, url }: Reached) =>
  `this port speaks plain http: set ${setting} to ${new URL(url).origin.replace(/^https:/, "http:")}`

const where = (error: unknown, host: string) => {
  const port = Predicate.hasProperty(error, "port") ? error["port"] : undefined
  const address = textOf(error, "address")
  return address === undefined || typeof port !== "number" ? host : `${address}:${port}`
}

/** What each code of Node, OpenSSL and undici means, in words that a person can act on. */
const byCode: Readonly<Record<string, (reached: Reached, error: unknown) => string>> = {
  ECONNREFUSED: ({ setting, url }, error) => `nothing listens at ${where(error, new URL(url).host)}: check ${setting}`,
  ENOTFOUND: ({ setting, url }, error) =>
    `the name ${textOf(error, "hostname") ?? new URL(url).hostname} is not known (DNS): check ${setting}`,
  EAI_AGAIN: ({ setting, url }, error) =>
    `DNS does not say where ${textOf(error, "hostname") ?? new URL(url).hostname} is: check ${setting}`,
  EHOSTUNREACH: ({ setting, url }) => `no way leads to ${new URL(url).host}: check ${setting}`,
  ENETUNREACH: ({ setting, url }) => `no way leads to ${new URL(url).host}: check ${setting}`,
  UND_ERR_CONNECT_TIMEOUT: ({ setting, url }) => `${new URL(url).host} takes no connection: check ${setting}`,
  CERT_HAS_EXPIRED: ({ url }) => `the certificate of ${new URL(url).host} has expired: renew it there`,
  CERT_NOT_YET_VALID: ({ url }) =>
    `the certificate of ${new URL(url).host} is not valid yet: check it, and the clock of this machine`,
  ERR_TLS_CERT_ALTNAME_INVALID: ({ setting, url }) =>
    `the certificate is for another name than ${new URL(url).hostname}: check ${setting}`,
  DEPTH_ZERO_SELF_SIGNED_CERT: () => unknownAuthority,
  SELF_SIGNED_CERT_IN_CHAIN: () => unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: () => unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: () => unknownAuthority,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: () => unknownAuthority,
  ERR_SSL_WRONG_VERSION_NUMBER: expectsHttp,
  // The same, by newer versions of OpenSSL.
  ERR_SSL_PACKET_LENGTH_TOO_LONG: expectsHttp,
  UND_ERR_SOCKET: ({ setting, url }) =>
    "the connection was closed before an answer came" +
    (url.startsWith("http:") ? `. If it always is, this port expects https: check ${setting}` : "")
}

/** What the proxy has answered instead of making a way through. */
export const refusedByProxy = (error: unknown): string | undefined =>
  /^Proxy response \((\d{3})\)/.exec(textOf(error, "message") ?? "")?.[1]

/**
 * What kept a request from its server, in plain words with what to look at; none where the error has no known cause.
 */
export const networkCause = (error: unknown, reached: Reached): string | undefined => {
  if (error instanceof ProxyUnreached) {
    return `the proxy ${error.proxy} is not reached: check HTTPS_PROXY, HTTP_PROXY and NO_PROXY`
  }
  const proxy = refusedByProxy(error)
  if (proxy !== undefined) {
    return `the proxy does not let plane-sync through to ${new URL(reached.url).host} (${proxy}): check HTTPS_PROXY, ` +
      "HTTP_PROXY and NO_PROXY"
  }
  // What undici could not parse.
  if (tlsRecord.test(textOf(error, "data") ?? "")) return expectsHttps(reached)
  return byCode[textOf(error, "code") ?? ""]?.(reached, error)
}
