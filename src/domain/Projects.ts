import { Context } from "effect"
import type { Project } from "./Project.js"

/** The projects that are written to: one so far. Code that needs a project asks for this, and not for settings. */
export class Projects extends Context.Tag("plane-sync/Projects")<Projects, {
  readonly project: Project
}>() {}
