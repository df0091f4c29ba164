/**
 * Makes the page that plane-sync serves, of the sources in this folder: `node page/build.js [folder]`, into dist/page by
 * default. It takes some 50 ms. `npm start`, the demo, the tests and `npm run build` do it first, so that the program
 * itself needs no bundler.
 */
import { build } from "esbuild"
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const here = dirname(fileURLToPath(import.meta.url))
const [folder = join(here, "../dist/page")] = process.argv.slice(2)

mkdirSync(folder, { recursive: true })
await build({
  entryPoints: { page: join(here, "main.tsx") },
  outdir: folder,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  logLevel: "warning"
})
await build({ entryPoints: { page: join(here, "style.css") }, outdir: folder, minify: true, logLevel: "warning" })
copyFileSync(join(here, "index.html"), join(folder, "index.html"))
// Its license asks that it goes with it.
const preact = join(here, "../node_modules/preact")
const { license, version } = JSON.parse(readFileSync(join(preact, "package.json"), "utf8"))
writeFileSync(
  join(folder, "licenses.txt"),
  `page.js contains preact ${version} (${license})\n\n${readFileSync(join(preact, "LICENSE"), "utf8")}`
)
