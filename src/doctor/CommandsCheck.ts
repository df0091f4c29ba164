import { Effect, Either } from "effect"
import type { Project } from "../domain/Project.js"
import { isEmail, usersNamed } from "../plane/Members.js"
import { human } from "../tasks/QualityGate.js"
import type { AccountAnswer } from "./AddressCheck.js"
import type { Finding, Outcome } from "./Finding.js"
import { Failed, found, Passed } from "./Finding.js"
import type { PlaneAccess } from "./PlaneAccess.js"
import { refusedBy } from "./PlaneAccess.js"

/** Whether tasks of the project wait for people who say `/approve`. */
const waitsForPeople = ({ pipeline = [] }: Project) => pipeline.some(({ gates }) => gates.includes(human.name))

/** Whether Plane is asked for the project's members. */
export const asksMembers = ({ commands }: Project): boolean => commands.some(isEmail)

/** Whether they are asked for to know who is asked when a task waits. */
export const isAttentionSet = ({ attention }: Project): boolean => attention.length > 0

/** Whether those who are asked when a task waits are people of the project, so that they can be assigned. */
export const checkAttention = (
  { ask, client, current: { project: { attention, identifier } } }: PlaneAccess
): Effect.Effect<Outcome<never>> =>
  Effect.gen(function*() {
    const members = yield* Effect.either(ask(1, client.members))
    if (Either.isLeft(members)) return found(refusedBy(members.left))
    const { ids, unknown: nobodys } = usersNamed(attention, members.right)
    const isMember = (name: string) => members.right.some(({ id }) => id === ids.get(name))
    const unknown = [...nobodys, ...attention.filter((name) => ids.has(name) && !isMember(name))]
    return found(
      unknown.length > 0
        ? Failed({
          seen: `no member of ${identifier} in Plane is ${unknown.join(", ")}, who is asked when a task waits`,
          mend: "name people in ORCH_ATTENTION by the e-mail address or the id that they have in Plane"
        })
        : Passed({ seen: `tasks of ${identifier} that wait are assigned to ${attention.join(", then ")}` })
    )
  })

/** Whether it matters who may command tasks of the project. */
export const areCommandsSet = (project: Project): boolean => project.commands.length > 0 || waitsForPeople(project)

/**
 * Whether those who may command are people of the project, and none of them is the user of its API token: who has that,
 * such as an agent, could write commands in that person's name.
 */
export const checkCommands = (
  { ask, client, current: { project } }: PlaneAccess,
  account: AccountAnswer | undefined
): Effect.Effect<Outcome<never>> =>
  Effect.gen(function*() {
    const { commands, identifier, names } = project
    if (commands.length === 0) {
      return found(Failed({
        seen: `a stage of ${identifier} has the gate ${human.name}, and nobody may say /approve`,
        mend: "name the people who may in ORCH_COMMANDS"
      }))
    }
    const members = asksMembers(project) ? yield* Effect.either(ask(1, client.members)) : Either.right([])
    if (Either.isLeft(members)) return found(refusedBy(members.left))
    const { ids, unknown } = usersNamed(commands, members.right)
    const own = account === undefined ? undefined : Either.getOrUndefined(account)
    const findings: ReadonlyArray<Finding> = [
      ...(unknown.length === 0 ? [] : [Failed({
        seen: `no member of ${identifier} in Plane is ${unknown.join(", ")}`,
        mend: "name people in ORCH_COMMANDS by the e-mail address or the id that they have in Plane"
      })]),
      ...(own === undefined || !Array.from(ids.values()).some((id) => id === own.id.toLowerCase()) ? [] : [Failed({
        seen:
          `the user ${own.display_name || own.id} of ${names.apiToken} is among those who may command, and commands ` +
          "of that user are not taken: whoever has the token, such as an agent, could write them",
        mend: `take this user out of ORCH_COMMANDS, or make ${names.apiToken} a token of a user of its own`
      })])
    ]
    return found(
      ...(findings.length > 0 ? findings : [Passed({ seen: `tasks of ${identifier} obey ${commands.join(", ")}` })])
    )
  })
