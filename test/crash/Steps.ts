import { Array as Arr, Effect, Random } from "effect"

/** The moments at which the program is killed. */
export const steps = [
  "random",
  "after commit",
  "after claim",
  "after send",
  "after the answer",
  "in mid-settle",
  "in a migration"
] as const

export type Step = typeof steps[number]

/** How each kill is aimed, from outside the program. */
export const aims: Readonly<Record<Step, string>> = {
  "random": "any moment of its start, or of the 1.5 s after it listens",
  "after commit": "the publisher has its 202",
  "after claim": "the first write to the file's log after a publisher had its 202",
  "after send": "the simulator has a write's request, or has applied it, and has not answered",
  "after the answer": "the simulator has handed a write's whole answer to the system",
  "in mid-settle": "0 to 8 ms after that, or the first write to the file's log after that",
  "in a migration": "0 to 60 ms after its new file appeared, or one of the first writes to its log"
}

/** Deals a number of kills: each step equally often, give or take one, in an order that the seed decides. */
export const dealt = <A>(steps: ReadonlyArray<A>, kills: number, seed: number): Effect.Effect<ReadonlyArray<A>> =>
  Effect.map(
    Effect.forEach(Arr.range(1, Math.ceil(kills / steps.length)), () => Random.shuffle(steps)),
    (rounds) => rounds.flatMap((round) => [...round]).slice(0, kills)
  ).pipe(Effect.withRandom(Random.make(`${seed}:steps`)))

export const deal = (kills: number, seed: number): Effect.Effect<ReadonlyArray<Step>> => dealt(steps, kills, seed)
