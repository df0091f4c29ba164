import { Effect } from "effect"
import { UserId } from "../domain/Ids.js"
import type { Exchange } from "./Exchange.js"
import type { PlaneError } from "./PlaneError.js"
import { MembersJson } from "./Wire.js"

/** Somebody who is in a project, or was: Plane does not tell which, nor who is an admin or a guest of it. */
export interface Member {
  readonly id: UserId
  /** As Plane has it; empty where it does not tell. */
  readonly email: string
  /** As people read it; empty where Plane does not tell. */
  readonly name: string
}

/** Asks who is in the project at this path. One request, which has no pages. */
export const askMembers = (
  exchange: Exchange,
  project: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<Member>, PlaneError> =>
  Effect.map(
    exchange.send({ method: "GET", path: [...project, "members"] }, MembersJson),
    (members) =>
      members.map(({ display_name, email, id }): Member => ({
        id: UserId(id.toLowerCase()),
        email,
        name: display_name
      }))
  ).pipe(Effect.withSpan("PlaneClient.members"))

/** Who people are, by what the settings call them, and the names among those that are nobody's. */
export interface Named {
  readonly ids: ReadonlyMap<string, UserId>
  readonly unknown: ReadonlyArray<string>
}

/** Whether a name of the settings is an e-mail address, which only Plane can tell the id of. */
export const isEmail = (name: string): boolean => name.includes("@")

/** Who people are, by the names of a setting (ids or e-mail addresses, lower case) and the project's members. */
export const usersNamed = (
  names: ReadonlyArray<string>,
  members: ReadonlyArray<Pick<Member, "email" | "id">>
): Named => {
  const found = names.map((name) => ({
    name,
    id: isEmail(name) ? members.find(({ email }) => email.toLowerCase() === name)?.id : UserId(name)
  }))
  return {
    ids: new Map(found.flatMap(({ id, name }) => id === undefined ? [] : [[name, UserId(id.toLowerCase())]])),
    unknown: found.flatMap(({ id, name }) => id === undefined ? [name] : [])
  }
}
