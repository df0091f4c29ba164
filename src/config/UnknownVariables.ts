import { textLimit, visibleLine } from "../base/Text.js"
import { allSettings } from "./AllSettings.js"

/** A variable that is no setting, although it looks like one. */
export interface UnknownVariable {
  readonly name: string
  /** The setting that is nearly called so. */
  readonly meant: string | undefined
}

/** Other names `ORCH_*` are the orchestrator's own. */
const ours = ["ORCH_PLANE_", "ORCH_GITEA_"]

/** So many letters may be wrong, missing, too many or in the place of their neighbours. */
const mostWrong = 2

/** How many letters must be changed to make one name of another, or `mostWrong + 1` where it is more than that. */
const distance = (a: string, b: string): number => {
  if (Math.abs(a.length - b.length) > mostWrong) return mostWrong + 1
  let before: ReadonlyArray<number> = []
  let row: ReadonlyArray<number> = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      const at = (cells: ReadonlyArray<number>, index: number) => cells[index] ?? Infinity
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
        ? at(before, j - 2) + 1
        : Infinity
      next.push(Math.min(at(row, j) + 1, at(next, j - 1) + 1, at(row, j - 1) + same, swapped))
    }
    before = row
    row = next
  }
  return Math.min(row[b.length] ?? Infinity, mostWrong + 1)
}

const settings = allSettings.map(({ definition }) => definition.name)

const nearest = (name: string): string | undefined => {
  const upper = name.toUpperCase()
  const [first] = settings
    .map((setting) => ({ setting, wrong: distance(upper, setting) }))
    .filter(({ wrong }) => wrong <= mostWrong)
    .sort((a, b) => a.wrong - b.wrong)
  return first?.setting
}

/**
 * The variables that are set and that somebody has probably mistyped. `named` are those that the file of the projects
 * names.
 */
export const unknownVariables = (
  set: Iterable<string>,
  named: ReadonlySet<string>
): ReadonlyArray<UnknownVariable> => {
  const known = new Set([...settings, ...named])
  return Array.from(new Set(set)).sort().flatMap((name) => {
    if (known.has(name)) return []
    const meant = nearest(name)
    return meant !== undefined || ours.some((prefix) => name.startsWith(prefix)) ? [{ name, meant }] : []
  })
}

/** What is said of such a variable, in a line. */
export const unknownVariableLine = ({ meant, name }: UnknownVariable): string =>
  `${visibleLine(name, textLimit)} is no setting: ${
    meant === undefined ? "docs/settings.md has all there are" : `is ${meant} meant?`
  }`
