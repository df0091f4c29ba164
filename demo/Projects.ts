import { enduroTrails, projectsLike } from "../src/simulator/Options.js"
import type { PlaneSimulatorOptions, ProjectOptions } from "../src/simulator/PlaneSimulator.js"

/** The projects of the demo: one as it comes, and one in which people are asked. */

export const trails: ProjectOptions = enduroTrails

const [careOrNone] = projectsLike(trails, ["TC"])

/** Trail care: its tasks have one comment that is edited, and go to riders only when a person has approved. */
export const care: ProjectOptions = { ...(careOrNone ?? trails), name: "Trail Care" }

/** The simulated Plane. */
export const planeOptions: PlaneSimulatorOptions = { project: trails, furtherProjects: [care] }

/** The simulator's person, the only one who may command. */
export const commander = { name: "olga", email: "olga@plane.test" }

/** The stages of a task of trail care. */
export const careStages = ["created", "analysis", "development", "release", "deploy", "done"]

/** The variable that holds the API token of trail care. Plane counts the requests of each token. */
export const careToken = "ORCH_CARE_API_TOKEN"

/** What `plane-sync.json` says. */
export const projectsFile = {
  projects: {
    [trails.identifier]: { id: trails.id },
    [care.identifier]: {
      id: care.id,
      apiToken: careToken,
      comments: "living",
      commands: [commander.email],
      pipeline: [
        { stage: "created", gates: ["started"] },
        { stage: "analysis", agent: "analyst", gates: ["reported"] },
        { stage: "development", agent: "developer", gates: ["reported"] },
        { stage: "release", gates: ["ci", "human"] },
        { stage: "deploy", gates: ["merged"] },
        { stage: "done" }
      ]
    }
  }
}
