import type { Attack } from "../Attack.js"
import { httpAttacks } from "./Http.js"

/** All attacks. */
export const attacks: ReadonlyArray<Attack> = [...httpAttacks]
