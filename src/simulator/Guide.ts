import * as Effect from "effect/Effect"
import type { SimulatedWorkItem } from "./PlaneSimulator.js"
import { PlaneSimulator } from "./PlaneSimulator.js"

/** The work items that somebody who tries it out begins with. */
const names = [
  "Ride profiles on the trail map",
  "Warn of closed trails near the route",
  "Share a tour by link",
  "Import tours from GPX files",
  "Show the snow line"
]

const text = (
  plane: Pick<PlaneSimulator["Type"], "project" | "token" | "url" | "workspace">,
  items: ReadonlyArray<Pick<SimulatedWorkItem, "id" | "key" | "name">>
) => `
A simulated Plane listens until Ctrl-C. It forgets everything when it ends.

  address    ${plane.url}
  API key    ${plane.token}
  workspace  ${plane.workspace}
  project    ${plane.project.name} (${plane.project.identifier}), ${plane.project.id}
  states     ${plane.project.states.map(({ name }) => name).join(", ")}
${items.map(({ key, name }) => `  ${key}       ${name}`).join("\n")}

To point plane-sync at it, in another terminal (or answer \`plane-sync init\`
with this address and this key):

  export ORCH_PLANE_API_URL=${plane.url}
  export ORCH_PLANE_API_TOKEN=${plane.token}
  export ORCH_PLANE_WORKSPACE_SLUG=${plane.workspace}
  export ORCH_PLANE_PROJECT_ID=${plane.project.id}
  export ORCH_PLANE_PROJECT_IDENTIFIER=${plane.project.identifier}
  npm start

To tell it that something has happened, in a third:

  curl -s localhost:8500/api/events -H 'content-type: application/json' \\
    -d '{"type":"stage_changed","workItem":"${items[1]?.key ?? ""}",
      "from":"created","to":"analysis","agent":"analyst"}'

To see what Plane shows then, all work items or the comments of this one:

  K='X-API-Key: ${plane.token}'
  P=${plane.url}/api/v1/workspaces/${plane.workspace}
  P=$P/projects/${plane.project.id}/work-items
  curl -s -H "$K" $P/
  curl -s -H "$K" $P/${items[1]?.id ?? ""}/comments/
`

/** Makes five work items, and says how to use the simulator. */
export const guide: Effect.Effect<string, never, PlaneSimulator> = Effect.flatMap(
  PlaneSimulator,
  (plane) => Effect.map(Effect.forEach(names, (name) => plane.addWorkItem({ name })), (items) => text(plane, items))
)
