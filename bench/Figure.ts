import type { Effect, Scope } from "effect"
import { Data } from "effect"

/** The limit that a figure should keep to. */
export type Aim = Data.TaggedEnum<{
  readonly AtMost: { readonly limit: number }
  readonly AtLeast: { readonly limit: number }
}>

export const Aim = Data.taggedEnum<Aim>()

/** One measured value: a line of the table. */
export interface Figure {
  /** Its name: the row's name, a colon, and the figure's own name. */
  readonly row: string
  readonly value: number
  readonly unit: string
  /** Undefined if the figure only explains another. */
  readonly aim?: Aim
  /** What something else measured under the same load in the same run. */
  readonly beside?: { readonly what: string; readonly value: number }
  /** What it means to a user, in one clause. */
  readonly means: string
}

/** A row can be asked for by name on the command line. It is a load, and the figures that it gives. */
export interface Row {
  readonly name: string
  /** For the help: what is measured. */
  readonly description: string
  /** It takes minutes, so it is measured only when it is named. */
  readonly onDemand?: true
  /** Everything it starts and writes is gone when the scope closes. */
  readonly measure: Effect.Effect<ReadonlyArray<Figure>, unknown, Scope.Scope>
}

export const holds = ({ aim, value }: Pick<Figure, "aim" | "value">): boolean =>
  aim === undefined ||
  Aim.$match(aim, { AtMost: ({ limit }) => value <= limit, AtLeast: ({ limit }) => value >= limit })
