import type * as HttpClient from "@effect/platform/HttpClient"
import { Effect, Either, Option, Redacted } from "effect"
import { isThisMachine, proxies } from "../base/Proxies.js"
import type { Account } from "../plane/Account.js"
import { askAccount } from "../plane/Account.js"
import type { Instance, NoInstance } from "../plane/Instance.js"
import { askInstance } from "../plane/Instance.js"
import { accessSettings } from "../plane/PlaneConfig.js"
import type { PlaneError } from "../plane/PlaneError.js"
import type { Finding, Outcome } from "./Finding.js"
import { Failed, found, having, Passed } from "./Finding.js"
import type { PlaneAccess } from "./PlaneAccess.js"
import { NotAsked, refusedBy, splitAdvice } from "./PlaneAccess.js"
import { Requests } from "./Requests.js"

/** Whose an API token is, or why that is not known. */
export type AccountAnswer = Either.Either<Account, PlaneError | NotAsked>

/** A Plane that answers. */
export interface Reached {
  /** Undefined where it does not tell. */
  readonly instance: Instance | undefined
  /** Whose the first project's API token is; undefined without a token. */
  readonly account: AccountAnswer | undefined
}

const notReached = ({ headline, words }: NoInstance): Finding => {
  const { mend, seen } = splitAdvice(
    headline ?? "Plane gives no answer that can be used",
    `check ${accessSettings.url.definition.name}, and the server of Plane`
  )
  return Failed({ seen: `${seen} (${words})`, mend })
}

const throughProxy = (url: string) =>
  Effect.map(
    Effect.orElseSucceed(proxies, () => ({ http: "", https: "", none: "" })),
    ({ http, https, none }) => {
      const { hostname, protocol } = new URL(url)
      const proxy = protocol === "https:" && https !== "" ? https : http
      if (proxy === "" || isThisMachine(hostname)) return ""
      const unless = none === "" ? "" : ", unless NO_PROXY names it"
      return `, by the proxy ${new URL(proxy).host}${unless}`
    }
  )

/** An answer that only Plane's API can have given. */
const isOfPlane = ({ reason, status }: PlaneError) =>
  reason !== "Unavailable" && (reason !== "WrongAddress" || Option.contains(status, 404))

/**
 * Whether Plane is reached. Who answers to `/api/instances/` need not be Plane's API, and Plane need not answer to it,
 * so whose API token it is gets asked as well.
 */
export const checkAddress = (
  { ask, current: { config }, exchange, seen }: PlaneAccess
): Effect.Effect<Outcome<Reached>, never, HttpClient.HttpClient | Requests> =>
  Effect.gen(function*() {
    const { url } = config
    const { spare, why } = yield* Requests
    if (!spare(1)) {
      const notAsked = new NotAsked({ why: `Plane is not asked, because ${why}` })
      return seen === undefined
        ? found(refusedBy(notAsked))
        : having(
          { instance: undefined, account: Either.left(notAsked) },
          Passed({ seen: `${url} has answered a moment ago` })
        )
    }
    const answered = `${url} answers${yield* throughProxy(url)}`
    const instance = yield* Effect.either(askInstance(config))
    if (Either.isLeft(instance) && !instance.left.isReached) return found(notReached(instance.left))
    const known = Either.getOrUndefined(instance)
    const passed = Passed({ seen: known === undefined ? answered : `${answered}: Plane ${known.version}` })
    if (Redacted.value(config.apiToken) === "") {
      return Either.isLeft(instance)
        ? found(notReached(instance.left))
        : having({ instance: known, account: undefined }, passed)
    }
    const account = yield* Effect.either(ask(1, askAccount(exchange)))
    if (Either.isLeft(account) && account.left._tag === "PlaneError") {
      const refused = account.left
      if (!isOfPlane(refused) || Option.isSome(refused.headline)) return found(refusedBy(refused))
      // A page or a redirect says that there is something else, unless the API itself has answered.
      if (Either.isLeft(instance) && refused.reason === "WrongAddress") return found(notReached(instance.left))
    }
    return having({ instance: known, account }, passed)
  })
