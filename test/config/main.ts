import { readFileSync, writeFileSync } from "node:fs"
import { projectsFileSchema } from "../../src/config/ProjectsFile.js"
import { envExample, settingsPage } from "../../src/config/SettingTexts.js"

const files = [[".env.example", envExample()], ["docs/settings.md", settingsPage()], [
  "plane-sync.schema.json",
  projectsFileSchema()
]] as const

const write = process.argv.includes("--write")

for (const [path, text] of files) {
  const file = new URL(`../../${path}`, import.meta.url)
  if (write) writeFileSync(file, text)
  else if (readFileSync(file, "utf8") !== text) {
    console.error(`${path} is out of date: run npm run settings -- --write`)
    process.exitCode = 1
  }
}
