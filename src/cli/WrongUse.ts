import { Console, Data, Effect } from "effect"

/** The command line was wrong. The person has been told why. */
export class WrongUse extends Data.TaggedError("WrongUse") {}

/** Tells a person, on standard error, how a command was used wrongly, and fails. */
export const wrongUse = (message: string): Effect.Effect<never, WrongUse> =>
  Effect.zipRight(Console.error(`plane-sync: ${message}`), new WrongUse())
