import { Config, ConfigError, Either } from "effect"

/** The proxies of the environment, as curl and Node read them. They are none of plane-sync's own settings. */
export interface Proxies {
  /** For addresses with `http:`; "" is none. */
  readonly http: string
  /** For addresses with `https:`; "" is that of `http`. */
  readonly https: string
  /** Hosts that are reached without a proxy. */
  readonly none: string
}

// The address may hold a password, so it is not repeated.
const notAnAddress = `it is not a proxy's address, like "http://proxy.example.com:3128"`

const variable = (name: string) =>
  Config.string(name.toLowerCase()).pipe(
    Config.orElse(() => Config.string(name)),
    Config.withDefault("")
  )

/** A proxy's address as a URL; many write it without "http://". */
const proxy = (name: string) =>
  Config.mapOrFail(variable(name), (given): Either.Either<string, ConfigError.ConfigError> => {
    const text = given.trim()
    const url = text === "" || text.includes("://") ? text : `http://${text}`
    return url === "" || (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol))
      ? Either.right(url)
      : Either.left(ConfigError.InvalidData([name], notAnAddress))
  })

/** `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`. In lower case they come first, as with curl. */
export const proxies: Config.Config<Proxies> = Config.all({
  http: proxy("HTTP_PROXY"),
  https: proxy("HTTPS_PROXY"),
  none: variable("NO_PROXY")
})

/** Whether a URL's host is this machine, which no proxy reaches. */
export const isThisMachine = (hostname: string): boolean =>
  /^(?:(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|\[::1\]|\[::ffff:7f[\da-f]{2}:[\da-f]{1,4}\])$/i.test(hostname)
