import * as FileSystem from "@effect/platform/FileSystem"
import { Console, Data, Effect, Redacted as Secret } from "effect"
import { resolve } from "node:path"
import { withVariables } from "../../config/EnvText.js"
import { configFile } from "../../config/ProjectsConfig.js"
import type { WrittenProject } from "../../config/WrittenProjects.js"
import { projectsFileText } from "../../config/WrittenProjects.js"
import { projectSettings } from "../../domain/ProjectSettings.js"
import { accessSettings } from "../../plane/PlaneConfig.js"
import type { Access } from "../../plane/Survey.js"
import { dotEnvFile } from "../DotEnv.js"
import { wrongUse } from "../WrongUse.js"
import { writeNewFiles } from "./NewFiles.js"
import { askYesOrNo } from "./Questions.js"

const projectsFile = "plane-sync.json"

/** A person does not want to go on. */
export class Stopped extends Data.TaggedError("Stopped") {
  override get message(): string {
    return "stopped: nothing was written"
  }
}

const exists = (path: string) =>
  Effect.flatMap(FileSystem.FileSystem, (files) => Effect.orElseSucceed(files.exists(path), () => true))

/** Lets nothing be replaced that a person has not agreed to. */
export const agreeToReplace = (isAsked: boolean, force: boolean) =>
  Effect.gen(function*() {
    if (force) return
    const questions = [
      [projectsFile, `${projectsFile} is there. Replace it?`],
      [dotEnvFile, `${dotEnvFile} is there. Set Plane's address and token in it? All else in it stays.`]
    ] as const
    for (const [path, question] of questions) {
      if (!(yield* exists(path))) continue
      if (!isAsked) return yield* wrongUse(`init: ${path} is there: --force replaces it`)
      if (!(yield* askYesOrNo(question, false))) return yield* new Stopped()
    }
  })

/** The variables that say by themselves what the file of the projects says: both are refused at the start. */
const replaced = new Set(Object.values(projectSettings).map(({ definition }) => definition.name))

const opening = "# Settings of plane-sync. docs/settings.md has all there are.\n"

/** Writes both files, and says what in the environment contradicts them. */
export const writeFiles = (
  { apiToken, url, workspace }: Access,
  secrets: ReadonlyMap<string, string>,
  projects: ReadonlyArray<WrittenProject>
) =>
  Effect.gen(function*() {
    const files = yield* FileSystem.FileSystem
    const before = (yield* exists(dotEnvFile)) ? yield* files.readFileString(dotEnvFile) : opening
    const set = new Map([
      [accessSettings.url.definition.name, url],
      [accessSettings.apiToken.definition.name, Secret.value(apiToken)],
      [accessSettings.workspaceSlug.definition.name, workspace],
      [configFile.definition.name, projectsFile],
      ...secrets
    ])
    yield* writeNewFiles([
      { path: projectsFile, text: projectsFileText(resolve("."), projects) },
      { path: dotEnvFile, text: yield* withVariables(before, set, replaced) }
    ])
    yield* Console.log(`\nWritten: ${dotEnvFile} (settings and secrets) and ${projectsFile} (the projects).`)
    for (const [name, value] of set) {
      const other = process.env[name] ?? ""
      if (other === "" || other === value) continue
      yield* Console.error(`${name} has another value in the environment, which wins over ${dotEnvFile}: unset it`)
    }
    for (const name of replaced) {
      if ((process.env[name] ?? "") === "") continue
      yield* Console.error(`${name} is set in the environment, but ${projectsFile} names the projects: unset it`)
    }
  })
