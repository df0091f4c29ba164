import { existsSync } from "node:fs"
import { relative, sep } from "node:path"
import { fileURLToPath } from "node:url"
import type { Stage } from "../domain/Stage.js"
import type { PlaneState } from "../domain/StageStates.js"
import type { ProjectsFile, StateText } from "./ProjectsFile.js"

/** What is written of one project: the state that each stage sets. A stage that is missing sets none. */
export interface WrittenProject {
  readonly identifier: string
  readonly stages: ReadonlyArray<readonly [stage: Stage, state: StateText]>
}

/** By its name, or by its id where the name could not be read again. */
export const stateText = ({ id, name }: Pick<PlaneState, "id" | "name">): StateText =>
  name !== "" && name.trim() === name ? name : { id }

const schemaFile = fileURLToPath(new URL("../../plane-sync.schema.json", import.meta.url))

/** Where the schema of a file in `folder` is, if it is in that folder or below: any other path is this machine's. */
const schemaFrom = (folder: string): string | undefined => {
  const path = relative(folder, schemaFile).split(sep).join("/")
  return path.startsWith("../") || !existsSync(schemaFile) ? undefined : `./${path}`
}

/** The text of a file `plane-sync.json` in `folder`. */
export const projectsFileText = (folder: string, projects: ReadonlyArray<WrittenProject>): string => {
  const schema = schemaFrom(folder)
  const file: ProjectsFile = {
    ...(schema === undefined ? {} : { $schema: schema }),
    projects: Object.fromEntries(
      projects.map(({ identifier, stages }) => [identifier, { stages: Object.fromEntries(stages) }])
    )
  }
  return `${JSON.stringify(file, null, 2)}\n`
}
