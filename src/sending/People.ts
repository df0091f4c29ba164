import { Effect } from "effect"
import type { Scope } from "effect"
import type { Project } from "../domain/Project.js"
import type { Member } from "../plane/Members.js"
import { isEmail, usersNamed } from "../plane/Members.js"
import type { PlaneClient } from "../plane/PlaneClient.js"
import type { SendContext } from "./SendContext.js"

/** Makes what warns of a thing the first time. */
const makeSayOnce = (): SendContext["sayOnce"] => {
  const said = new Set<string>()
  return (warning) =>
    Effect.suspend(() => {
      if (said.has(warning)) return Effect.void
      said.add(warning)
      return Effect.logWarning(warning)
    })
}

/**
 * Makes what tells who people are in Plane, and what warns of those who are nobody. The project's members are asked for
 * once: at the start if it names people by their e-mail addresses, and otherwise when they are needed.
 */
export const makeNaming = (
  { client, project: { attention, identifier } }: {
    readonly client: Pick<PlaneClient["Type"], "members">
    readonly project: Project
  }
): Effect.Effect<Pick<SendContext, "sayOnce" | "usersOf">, never, Scope.Scope> =>
  Effect.gen(function*() {
    const sayOnce = makeSayOnce()
    let known: ReadonlyArray<Member> | undefined
    const onlyOne = yield* Effect.makeSemaphore(1)
    const asked = client.members.pipe(
      // Without a list of members nobody can be found by an address.
      Effect.catchIf(({ reason }) => reason === "WrongAddress", () => Effect.succeed([])),
      Effect.tap((members) =>
        Effect.sync(() => {
          known = members
        })
      )
    )
    const members = onlyOne.withPermits(1)(
      Effect.suspend(() => known === undefined ? asked : Effect.succeed(known))
    )
    const usersOf: SendContext["usersOf"] = (people) =>
      Effect.gen(function*() {
        const { ids, unknown } = usersNamed(people, people.some(isEmail) ? yield* members : [])
        yield* Effect.forEach(unknown, (name) =>
          sayOnce(
            `ORCH_ATTENTION names ${name}, who is no member of ${identifier} in Plane, so nobody is assigned: ` +
              "expected people who are"
          ))
        return ids
      })
    if (attention.some(isEmail)) {
      // Only to warn early of a wrong name. Whoever needs the people asks again, and deals with its failure.
      yield* Effect.forkScoped(Effect.ignore(usersOf(attention)))
    }
    return { sayOnce, usersOf }
  })
