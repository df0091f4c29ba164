import type { Effect } from "effect"
import { Schema } from "effect"
import type { Exchange } from "./Exchange.js"
import type { PlaneError } from "./PlaneError.js"

const AccountJson = Schema.parseJson(Schema.Struct({
  id: Schema.String,
  display_name: Schema.optionalWith(Schema.String, { nullable: true, default: () => "" })
}))

/** The user whose API token it is. */
export type Account = typeof AccountJson.Type

/** Asks whose API token it is. Some versions do not know the path, and answer `WrongAddress`, 404. */
export const askAccount = (exchange: Exchange): Effect.Effect<Account, PlaneError> =>
  exchange.send({ method: "GET", path: ["users", "me"] }, AccountJson)
