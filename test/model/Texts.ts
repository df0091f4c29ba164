/**
 * What branches, titles and descriptions of the histories look like, each beside the work items that it names by the
 * rules (16 to 19): so that nothing here has to read them.
 */
export type Naming =
  /** Closing words and `[KEY]` in a description, keys at the beginning of a title, a branch. They add up. */
  | "claims"
  /** A key elsewhere in a title: it counts only where nothing else names any. */
  | "mentions"
  | "nothing"

export interface Text {
  readonly text: string
  readonly naming: Naming
  readonly numbers: ReadonlyArray<number>
  /** The title says that it is a draft. */
  readonly draft?: boolean
  /** The title of what it takes back. */
  readonly takesBack?: Text
}

/** The title that Gitea gives to a revert. A revert of a revert is the thing again (5). */
export const revertOf = (title: Text): Text => ({
  ...(title.takesBack ?? { naming: "nothing", numbers: [] }),
  text: `Revert "${title.text}"`,
  draft: false,
  takesBack: title
})

type Variant = (one: number, other: number) => Text

const key = (number: number) => `ET-${number}`
export const claims = (text: string, ...numbers: ReadonlyArray<number>): Text => ({ text, naming: "claims", numbers })
const mentions = (text: string, ...numbers: ReadonlyArray<number>): Text => ({ text, naming: "mentions", numbers })
export const nothing = (text: string): Text => ({ text, naming: "nothing", numbers: [] })

/** The first is the plain one: what shrinks, shrinks to it. */
export const branches: ReadonlyArray<Variant> = [
  () => nothing("tidy"),
  (one) => claims(`feature/et-${one}-climb`, one),
  (one) => claims(`${key(one)}_climb`, one),
  (one, other) => claims(`et-${one}-et-${other}`, one, other),
  (one) => nothing(`release/et-${one}.1.0`),
  (one) => nothing(`revert-41-et-${one}`)
]

export const titles: ReadonlyArray<Variant> = [
  () => nothing("Tidy up the map"),
  (one) => claims(`${key(one)}: north climb`, one),
  (one, other) => claims(`${key(one)}, ${key(other)}: both climbs`, one, other),
  (one) => claims(`ET-00${one}: north climb`, one),
  (one) => mentions(`North climb (${key(one)})`, one),
  (one) => mentions(`Revert the cache (${key(one)})`, one),
  (one) => ({ ...claims(`WIP: ${key(one)}: north climb`, one), draft: true }),
  () => ({ ...nothing("[WIP] north climb"), draft: true }),
  (one) => revertOf(claims(`${key(one)}: north climb`, one)),
  (one) => revertOf(revertOf(claims(`${key(one)}: north climb`, one))),
  (one) => nothing(`Update the app to et-${one}.4`)
]

export const descriptions: ReadonlyArray<Variant> = [
  () => nothing(""),
  (one) => claims(`Closes ${key(one)}`, one),
  (one, other) => claims(`It was steep.\n\nCloses ${key(one)} and ${key(other)}`, one, other),
  (one) => claims(`See [${key(one)}]: it was steep.`, one),
  (one) => nothing(`<!-- e.g. Closes ${key(one)} -->\nIt was steep.`),
  (one) => nothing(`\`\`\`\nCloses ${key(one)}\n\`\`\``),
  (one) => nothing(`It does not fix ${key(one)}`),
  (one) => nothing(`> Closes ${key(one)}\n\nNo, it does not.`),
  (one) => nothing(`It is like ${key(one)}, or [${key(one)}](https://plane.trails.test/1).`)
]

/** What a pull request says. */
export interface Said {
  readonly branch: Text
  readonly title: Text
  readonly body: Text
}

/** The numbers of the work items that a pull request is about. */
export const aboutOf = ({ body, branch, title }: Said): ReadonlySet<number> => {
  const all = [branch, title, body]
  const claimed = all.filter(({ naming }) => naming === "claims").flatMap(({ numbers }) => numbers)
  return new Set(claimed.length > 0 ? claimed : all.flatMap(({ numbers }) => numbers))
}
