import type { Attack } from "../Attack.js"
import { bodyAttacks } from "./Bodies.js"
import { httpAttacks } from "./Http.js"

/** All attacks. */
export const attacks: ReadonlyArray<Attack> = [...httpAttacks, ...bodyAttacks]
