import { Effect } from "effect"
import { readdir, readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import ts from "typescript"

/** A statement, or a part of one, as it stands in the source: the text around what is put into it. */
interface Written {
  /** The file and the line. */
  readonly at: string
  readonly texts: ReadonlyArray<string>
}

const textsOf = (template: ts.TemplateLiteral): ReadonlyArray<string> =>
  ts.isNoSubstitutionTemplateLiteral(template)
    ? [template.text]
    : [template.head.text, ...template.templateSpans.map(({ literal }) => literal.text)]

// All that stands behind `sql` in the files of a room, but for what creates its tables.
const statementsOf = async (room: string): Promise<ReadonlyArray<Written>> => {
  const folder = fileURLToPath(new URL(`../../src/${room}/`, import.meta.url))
  const found: Array<Written> = []
  for (const name of (await readdir(folder)).filter((name) => !name.endsWith("Tables.ts"))) {
    const file = ts.createSourceFile(name, await readFile(`${folder}${name}`, "utf8"), ts.ScriptTarget.Latest)
    const visit = (node: ts.Node): void => {
      if (ts.isTaggedTemplateExpression(node) && ts.isIdentifier(node.tag) && node.tag.text === "sql") {
        const { line } = file.getLineAndCharacterOfPosition(node.tag.end)
        const texts = textsOf(node.template)
        if (!/^\s*CREATE TABLE/.test(texts[0] ?? "")) found.push({ at: `${room}/${name}:${line + 1}`, texts })
      }
      ts.forEachChild(node, visit)
    }
    visit(file)
  }
  return found
}

const has = (run: string, texts: ReadonlyArray<string>): boolean => {
  let from = 0
  for (const text of texts) {
    const at = run.indexOf(text, from)
    if (at < 0) return false
    from = at + text.length
  }
  return true
}

/**
 * Where a room has statements, or parts of statements, that are in none of those that were explained. Each is to be run
 * by a test that looks at its plan.
 */
export const unexplained = (
  room: string,
  plans: ReadonlyMap<string, unknown>
): Effect.Effect<ReadonlyArray<string>> => {
  const run = Array.from(plans.keys())
  return Effect.map(
    Effect.promise(() => statementsOf(room)),
    (written) => written.filter(({ texts }) => !run.some((statement) => has(statement, texts))).map(({ at }) => at)
  )
}
