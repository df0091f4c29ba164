/**
 * What `npm run build` does after tsc. It makes the program executable, and takes the readers of Markdown and HTML, which
 * are dozens of small packages, into the files that use them, so that no host has to install them.
 */
import { build } from "esbuild"
import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { basename } from "node:path"

chmodSync("dist/main.js", 0o755)

const licenseOf = (folder) => {
  const { license, name, version } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"))
  const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name))
  if (file === undefined) throw new Error(`${name} has no file with its license`)
  return `${name} ${version} (${license})\n\n${readFileSync(`${folder}/${file}`, "utf8").trim()}\n`
}

for (const bundled of ["dist/gitea/Prose", "dist/people/CommentText"]) {
  const { metafile } = await build({
    entryPoints: [`${bundled}.js`],
    outfile: `${bundled}.js`,
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
  writeFileSync(
    `${bundled}.licenses.txt`,
    `${basename(bundled)}.js contains these packages:\n\n${Array.from(folders, licenseOf).join("\n----\n\n")}`
  )
}
