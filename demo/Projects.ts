import type { PlaneSimulatorOptions, ProjectOptions } from "../src/simulator/PlaneSimulator.js"
import { enduroTrails } from "../src/simulator/PlaneSimulator.js"

/** The projects of the demo: one as it comes, and one in which people are asked. */

export const trails: ProjectOptions = enduroTrails

/** Trail care: its tasks have one comment that is edited, and go to riders only when a person has approved. */
export const care: ProjectOptions = {
  id: "c1a7e000-0000-4000-8000-000000000000",
  identifier: "TC",
  name: "Trail Care",
  states: trails.states.map((state, index) => ({ ...state, id: `c1a7e000-0000-4000-8000-00000000000${index + 1}` }))
}

/** The simulated Plane. */
export const planeOptions: PlaneSimulatorOptions = { project: trails, furtherProjects: [care] }

/** The simulator's person, the only one who may command. */
export const commander = { name: "olga", email: "olga@plane.test" }

const pipeline = [
  { stage: "created", gates: ["started"] },
  { stage: "analysis", agent: "analyst", gates: ["reported"] },
  { stage: "development", agent: "developer", gates: ["reported"] },
  { stage: "release", gates: ["ci", "human"] },
  { stage: "deploy", gates: ["merged"] },
  { stage: "done" }
]

/** The stages of a task of trail care. */
export const careStages = pipeline.map(({ stage }) => stage)

/** The variable that holds the API token of trail care. Plane counts the requests of each token. */
export const careToken = "TRAIL_CARE_API_TOKEN"

/** What `plane-sync.json` says. */
export const projectsFile = {
  projects: {
    [trails.identifier]: { id: trails.id },
    [care.identifier]: {
      id: care.id,
      apiToken: careToken,
      comments: "living",
      commands: [commander.email],
      // Who is asked is assigned while a task waits.
      attention: [commander.email],
      pipeline
    }
  }
}
