import { buildSync } from "esbuild"
import { execFileSync } from "node:child_process"
import { copyFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import type { Plugin } from "vitest/config"

const root = fileURLToPath(new URL("../../", import.meta.url))
const source = join(root, "src")
const compiled = join(root, ".test-build")

// Takes the place of `src/Schema.ts`: see `createdAtOnce`. `test/Schema.test.ts` says that the tables are the same.
const schema = `import { Layer } from "effect"
import { createdAtOnce } from "../test/support/CreatedAtOnce.js"
import { Migrations } from "./storage/Migrations.js"
import { migrations } from "./SchemaSteps.js"
export { migrations }
export const schemaLayer = Layer.succeed(Migrations, createdAtOnce(migrations))
`

/** Makes the page that is served, below the folder of the compiled sources. */
const makePage = (folder: string) =>
  execFileSync(process.execPath, [join(root, "page/build.js"), join(folder, "dist/page")])

/** Compiles `src` as it is now. */
const compile = () => {
  rmSync(compiled, { recursive: true, force: true })
  buildSync({
    entryPoints: [
      ...readdirSync(source, { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".ts"))
        .map((name) => join(source, name)),
      join(root, "test/support/CreatedAtOnce.ts")
    ],
    outdir: compiled,
    outbase: root,
    format: "esm",
    target: "node20",
    sourcemap: "inline"
  })
  renameSync(join(compiled, "src/Schema.js"), join(compiled, "src/SchemaSteps.js"))
  writeFileSync(join(compiled, "src/Schema.js"), schema)
  // What the sources read beside themselves.
  for (const name of ["package.json", "plane-sync.schema.json"]) copyFileSync(join(root, name), join(compiled, name))
  makePage(compiled)
}

/**
 * Gives tests the sources compiled, once for a whole run: Node loads them once in each process. Otherwise each file of
 * tests evaluates all of them anew, which takes a third of the run. While vitest watches, sources change: it loads them
 * itself then.
 */
export const compiledSource = (): { readonly plugins: Array<Plugin>; readonly external: Array<RegExp> } => {
  if (!process.argv.includes("run")) {
    makePage(root)
    return { plugins: [], external: [] }
  }
  compile()
  return {
    plugins: [{
      name: "compiled-source",
      enforce: "pre",
      resolveId: (id, importer) => {
        if (importer === undefined || !id.startsWith(".")) return undefined
        const path = relative(source, resolve(dirname(importer), id))
        return path.startsWith("..") || !path.endsWith(".js") ? undefined : join(compiled, "src", path)
      }
    }],
    external: [/\/\.test-build\//]
  }
}
