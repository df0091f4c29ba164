import { Effect, Either, Redacted } from "effect"
import type { Project } from "../domain/Project.js"
import type { PlaneState, StageTable } from "../domain/StageStates.js"
import { resolved, wordsOf } from "../domain/StageStates.js"
import { makeLocate } from "../plane/Locate.js"
import { makeProbe } from "../plane/Probe.js"
import type { AccountAnswer } from "./AddressCheck.js"
import type { Finding, Outcome } from "./Finding.js"
import { Failed, found, having, Passed, Skipped } from "./Finding.js"
import type { PlaneAccess } from "./PlaneAccess.js"
import { refusedBy } from "./PlaneAccess.js"

/** Whose an API token is. One that Plane does not take is of no use to later checks. */
export const checkKey = (
  { current: { config, project: { names } } }: PlaneAccess,
  account: AccountAnswer | undefined
): Outcome<true> => {
  if (account === undefined || Redacted.value(config.apiToken) === "") {
    return found(Failed({
      seen: `${names.apiToken} is not set, so nothing is sent to Plane`,
      mend: `make an API token in Plane (Profile settings, API tokens), and set ${names.apiToken}`
    }))
  }
  return Either.match(account, {
    onRight: ({ display_name, id }) =>
      having(true, Passed({ seen: `${names.apiToken} is taken, and is of the user ${display_name || id}` })),
    onLeft: (error) => {
      if (error._tag === "NotAsked") return having(true, refusedBy(error))
      return error.reason === "WrongAddress"
        ? having(true, Skipped({ why: "this Plane does not tell whose an API token is" }))
        : found(refusedBy(error))
    }
  })
}

const roles: Readonly<Record<number, string>> = { 5: "a guest", 15: "a member", 20: "an admin" }

/** Whether the API token may write to a project: the probe of a running program, with what it tells. */
export const checkProject = (
  { ask, current, exchange, seen }: PlaneAccess
): Effect.Effect<Outcome<true>> => {
  const { config: { workspaceSlug }, project: { id, identifier } } = current
  const probe = makeProbe({ current, exchange, locate: makeLocate(current, exchange) })
  const told = seen === undefined
    ? Effect.map(
      ask(id === undefined ? 2 : 1, probe),
      ({ id, member_role }) => ({ id, role: member_role ?? undefined })
    )
    : Effect.succeed(seen)
  return Effect.match(told, {
    onFailure: (error) => found(refusedBy(error)),
    onSuccess: ({ id, role: number = 0 }) => {
      const role = roles[number]
      return having(
        true,
        Passed({
          seen: `${identifier} of the workspace ${workspaceSlug} may be written to` +
            (role === undefined ? "" : `: the API token's user is ${role} of it`) + ` (${id})`
        })
      )
    }
  })
}

/** The states that there are, for a person to choose from. */
const listed = (states: ReadonlyArray<PlaneState>) =>
  states.map(({ group, id, name }) => `${JSON.stringify(name)} (${group}, ${id})`).join(", ")

/** Stages that follow each other into the same state are told together. */
const mapping = (table: StageTable, states: ReadonlyArray<PlaneState>): string => {
  const ids = resolved(table, states)
  const parts: Array<{ stages: Array<string>; state: string }> = []
  for (const stage of table.keys()) {
    const state = states.find(({ id }) => id === ids.get(stage))
    const words = state === undefined ? "?" : `${state.name} (${state.group})`
    const last = parts.at(-1)
    if (last?.state === words) last.stages.push(stage)
    else parts.push({ stages: [stage], state: words })
  }
  return parts.map(({ stages, state }) => `${stages.join(", ")} → ${state}`).join("; ")
}

const fit = ({ identifier, names, stages }: Project, states: ReadonlyArray<PlaneState>): Finding => {
  const ids = resolved(stages, states)
  const misfits = Array.from(stages).filter(([stage]) => !ids.has(stage))
  if (misfits.length === 0) return Passed({ seen: mapping(stages, states) })
  const missing = misfits.map(([stage, state]) => `${wordsOf(state)} (stage ${JSON.stringify(stage)})`).join(", ")
  return Failed({
    seen: `the project ${identifier} has no state ${missing}`,
    mend: `set ${names.states} to states that it has: ${listed(states)}`
  })
}

/** The stage table as Plane's states make it. */
export const checkStages = (
  { ask, client, current: { project }, seen }: PlaneAccess
): Effect.Effect<Outcome<never>> =>
  Effect.match(seen?.states === undefined ? ask(1, client.states) : Effect.succeed(seen.states), {
    onFailure: (error) => found(refusedBy(error)),
    onSuccess: (states) => found(fit(project, states))
  })
