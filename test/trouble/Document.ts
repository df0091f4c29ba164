import type { Said } from "./Run.js"
import type { Trouble } from "./Trouble.js"

const introduction = `# When something is wrong

Begin with \`plane-sync doctor\`: it names what is wrong, and after each \`→\` the command or setting that mends it.
\`plane-sync explain ET-2\` tells the story of one work item, and what it waits for. \`GET /health\` of a running \`serve\` says
why it is degraded, and the log says it when it begins.

Below stands for each trouble what each of the four says. The texts are not written by hand: \`npm run trouble -- --write\`
breaks each thing in turn against a simulated Plane, and writes down what it reads. "–" means that nothing is said there.
More troubles of storage are in [reliability.md](reliability.md).
`

const cell = (lines: ReadonlyArray<string>) =>
  lines.length === 0 ? "–" : lines.map((line) => line.replaceAll("|", "\\|").replaceAll("<", "&lt;")).join("<br>")

/** What the document has of one trouble. */
export const section = ({ name }: Trouble, { doctor, explain, health, log }: Said): string =>
  [
    `## ${name}`,
    "",
    "| where | what it says |",
    "| --- | --- |",
    `| log | ${cell(log)} |`,
    `| \`/health\` | ${cell(health)} |`,
    `| \`doctor\` | ${cell(doctor)} |`,
    `| \`explain\` | ${cell(explain)} |`,
    ""
  ].join("\n")

/** What a document has of one trouble already. */
export const sectionIn = (document: string, { name }: Trouble): string | undefined =>
  document.split(/^(?=## )/m).find((part) => part.startsWith(`## ${name}\n`))?.replace(/\n+$/, "\n")

/** The text of docs/trouble.md. */
export const page = (sections: ReadonlyArray<string>): string => [introduction, ...sections].join("\n")
