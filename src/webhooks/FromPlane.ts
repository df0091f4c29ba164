import { Duration, Effect, FiberHandle, Redacted } from "effect"
import { EpochMillis, epochMillis } from "../base/Time.js"
import { UserId } from "../domain/Ids.js"
import type { StateId } from "../domain/StageStates.js"
import type { Named } from "../plane/Members.js"
import { isEmail, usersNamed } from "../plane/Members.js"
import type { PlaneClient } from "../plane/PlaneClient.js"
import type { PlaneError } from "../plane/PlaneError.js"
import type { PlaneProject } from "../sending/PlaneProjects.js"

/** What hooks do not tell, and Plane is asked for. */

/** Plane is asked for the same at most once in this time. */
const askAgain = Duration.toMillis("1 minute")

/**
 * Asks Plane by another fiber, because the worker must not wait for it, and at most once a minute. `failed` says what is
 * not known then.
 */
const makeAsking = <A>(ask: Effect.Effect<A, PlaneError>, answered: (answer: A) => void, failed: string) =>
  Effect.gen(function*() {
    const asking = yield* FiberHandle.make()
    let askedAt = EpochMillis(-Infinity)
    const asked = Effect.matchEffect(ask, {
      onFailure: (error) => Effect.logWarning(`${failed}: ${error.message}`),
      onSuccess: (answer) => Effect.sync(() => answered(answer))
    })
    /** Says whether it asks now. */
    return Effect.gen(function*() {
      const now = yield* epochMillis
      if (Math.abs(now - askedAt) < askAgain) return false
      askedAt = now
      yield* FiberHandle.run(asking, asked, { onlyIfMissing: true })
      return true
    })
  })

/** The group of a state, for a hook that gives only the state's id; none while Plane has not told it. */
export const makeGroups = (client: PlaneClient["Type"]) =>
  Effect.gen(function*() {
    const groups = new Map<StateId, string>()
    let told = false
    const ask = yield* makeAsking(client.states, (states) => {
      for (const { group, id } of states) groups.set(id, group)
      told = true
    }, "The groups of Plane's states are not known")
    return (stateId: StateId) =>
      Effect.gen(function*() {
        const group = groups.get(stateId)
        if (group !== undefined) return group
        if (yield* ask) told = false
        return told ? "unknown" : undefined
      })
  })

/**
 * Who the API token of a project acts as: a user's id; `nobody` without a token; `untold` if this Plane does not tell;
 * none while it was not told yet.
 */
export type OwnUser = UserId | "nobody" | "untold"

/** `OwnUser` of a project. It is asked for when it is needed first, and does not change while the program runs. */
export const makeOwnUser = ({ client, config }: PlaneProject) =>
  Effect.gen(function*() {
    let known: OwnUser | undefined = Redacted.value(config.apiToken) === "" ? "nobody" : undefined
    const whose = client.account.pipe(
      Effect.map(({ id }): OwnUser => UserId(id.toLowerCase())),
      Effect.catchIf(({ reason }) => reason === "WrongAddress", () => Effect.succeed<OwnUser>("untold"))
    )
    const ask = yield* makeAsking(whose, (answer) => {
      known = answer
    }, "Whose the API token of Plane is, is not known")
    return Effect.suspend(() => known === undefined ? Effect.as(ask, undefined) : Effect.succeed(known))
  })

const idsOf = ({ ids }: Named): ReadonlySet<UserId> => new Set(ids.values())

/**
 * Who may command the tasks of a project, by the settings: the ids of users; none while Plane has not told who has the
 * e-mail addresses. It is asked for when this is run first. Names that are nobody's are said once.
 */
export const makeCommanders = ({ client, project: { commands, identifier } }: PlaneProject) =>
  Effect.gen(function*() {
    let known: ReadonlySet<UserId> | undefined = commands.some(isEmail) ? undefined : idsOf(usersNamed(commands, []))
    const ask = yield* makeAsking(
      client.members.pipe(
        // Without a list of members nobody can be found by an address.
        Effect.catchIf(({ reason }) => reason === "WrongAddress", () => Effect.succeed([])),
        Effect.map((members) => usersNamed(commands, members)),
        Effect.tap(({ unknown }) =>
          unknown.length === 0 ? Effect.void : Effect.logWarning(
            `ORCH_COMMANDS names ${unknown.join(", ")}, who is no member of ${identifier} in Plane: ` +
              "expected people who are"
          )
        )
      ),
      (named) => {
        known = idsOf(named)
      },
      `Who may command tasks of ${identifier} is not known`
    )
    return Effect.suspend(() => known === undefined ? Effect.as(ask, undefined) : Effect.succeed(known))
  })
