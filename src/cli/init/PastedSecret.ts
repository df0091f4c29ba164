import type { Redacted } from "effect"
import { Either, Redacted as Secret } from "effect"

const pairs: ReadonlyArray<readonly [string, string]> = [
  ["\"", "\""],
  ["'", "'"],
  ["`", "`"],
  ["“", "”"],
  ["„", "“"],
  ["‘", "’"],
  ["«", "»"]
]

const unquoted = (text: string): string => {
  const pair = pairs.find(([begin, end]) => text.length >= 2 && text.startsWith(begin) && text.endsWith(end))
  return pair === undefined ? text : unquoted(text.slice(1, -1).trim())
}

/**
 * A secret as a person has copied it: without the blanks and quotes around it. One that still has some within is not
 * whole, or more than the secret. No message repeats it.
 */
export const readSecret = (text: string): Either.Either<Redacted.Redacted, string> => {
  const secret = unquoted(text.trim())
  if (secret === "") return Either.left("nothing was entered")
  if (/["'`“”„‘’«»]/u.test(secret)) return Either.left("it has a quote in it: copy it alone, without quotes")
  if (/\s/u.test(secret)) return Either.left("it has blanks in it: copy it alone, in one piece")
  return /^[\x21-\x7E]+$/.test(secret)
    ? Either.right(Secret.make(secret))
    : Either.left("it has characters that no secret of Plane has: copy it again")
}
