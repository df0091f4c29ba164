import type { Attack } from "../Attack.js"
import { bodyAttacks } from "./Bodies.js"
import { fileAttacks } from "./Files.js"
import { httpAttacks } from "./Http.js"
import { planeAttacks } from "./Planes.js"

/** All attacks. */
export const attacks: ReadonlyArray<Attack> = [...httpAttacks, ...bodyAttacks, ...fileAttacks, ...planeAttacks]
