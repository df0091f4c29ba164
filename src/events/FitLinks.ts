import { Either, Schema } from "effect"
import { describeParseError } from "../base/Issue.js"
import { Link, mostLinks } from "../domain/Link.js"

const validate = Schema.validateEither(Link)

/** The links of an event that are fit, and what is wrong with the others. */
export interface FitLinks {
  /** Undefined where none were given. */
  readonly links: ReadonlyArray<Link> | undefined
  readonly refused: ReadonlyArray<string>
}

/**
 * Sorts what stands in the place of an event's links: a link that is not fit is left out, and the event is told all the
 * same. It may throw, because a host may give anything.
 */
export const fitLinks = (given: unknown): FitLinks => {
  if (given === undefined) return { links: undefined, refused: [] }
  if (!Array.isArray(given)) return { links: undefined, refused: ["links: expected a list of links"] }
  const items: ReadonlyArray<unknown> = given.slice(0, mostLinks)
  const each = items.map((item) => Either.mapLeft(validate(item), describeParseError))
  return {
    links: each.flatMap((one) => Either.isRight(one) ? [one.right] : []),
    refused: [
      ...each.flatMap((one, index) => Either.isLeft(one) ? [`links.${index}.${one.left}`] : []),
      ...(given.length > mostLinks ? [`links: expected at most ${mostLinks} links, the others are left out`] : [])
    ]
  }
}
