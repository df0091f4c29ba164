import { Layer } from "effect"
import { CurrentProject } from "../../src/plane/CurrentProject.js"
import { PlaneClient } from "../../src/plane/PlaneClient.js"

/** `PlaneClient` for the first of the projects: no key names another one. */
export const firstClient = Layer.provide(PlaneClient.layer, CurrentProject.layerOfKey(""))
