import { build } from "esbuild"
import { spawnSync } from "node:child_process"
import { copyFileSync, mkdirSync, readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

// Measures what ships: plain JavaScript, one file for each module, as `npm run build` leaves it. tsx, which runs the
// tests, keeps the names of all functions, and that alone took a third of the pace. The files stand below
// `node_modules`, so that packages are found.
const root = fileURLToPath(new URL("..", import.meta.url))
const built = join(root, "node_modules", ".cache", "plane-sync-bench", String(process.pid))

const modules = (folder: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
    .map((name) => join(root, folder, name))

// The rows on Postgres start a server as the tests do.
const ofTests = ["FreePort", "PostgresBinaries", "PostgresCluster", "TemporaryFolder"]
  .map((name) => join(root, "test", "support", `${name}.ts`))

try {
  mkdirSync(built, { recursive: true })
  copyFileSync(join(root, "package.json"), join(built, "package.json"))
  await build({
    entryPoints: [...modules("src"), ...modules("bench"), ...ofTests],
    outbase: root,
    outdir: built,
    format: "esm",
    target: "node20",
    logLevel: "warning"
  })
  const { status } = spawnSync(process.execPath, [join(built, "bench", "main.js"), ...process.argv.slice(2)], {
    stdio: "inherit"
  })
  process.exitCode = status ?? 1
} finally {
  rmSync(built, { recursive: true, force: true })
}
