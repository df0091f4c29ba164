/**
 * What `npm run build` does after tsc. It makes the program executable, and takes the reader of Markdown, which is
 * dozens of small packages, into the one file that uses it, so that no host has to install them.
 */
import { build } from "esbuild"
import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs"

chmodSync("dist/main.js", 0o755)

const { metafile } = await build({
  entryPoints: ["dist/gitea/Prose.js"],
  outfile: "dist/gitea/Prose.js",
  allowOverwrite: true,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  sourcemap: true,
  metafile: true,
  logLevel: "warning"
})

// Their licenses ask that they go with them.
const folders = new Set(
  Object.keys(metafile.inputs).flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path) ?? [])
)
const licenseOf = (folder) => {
  const { license, name, version } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"))
  const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name))
  if (file === undefined) throw new Error(`${name} has no file with its license`)
  return `${name} ${version} (${license})\n\n${readFileSync(`${folder}/${file}`, "utf8").trim()}\n`
}
writeFileSync(
  "dist/gitea/Prose.licenses.txt",
  `Prose.js contains these packages:\n\n${Array.from(folders, licenseOf).join("\n----\n\n")}`
)
