import type { Attack } from "../Attack.js"
import { bodyAttacks } from "./Bodies.js"
import { fileAttacks } from "./Files.js"
import { hookAttacks } from "./Hooks.js"
import { httpAttacks } from "./Http.js"
import { planeAttacks } from "./Planes.js"
import { textAttacks } from "./Texts.js"

/** All attacks. */
export const attacks: ReadonlyArray<Attack> = [
  ...httpAttacks,
  ...bodyAttacks,
  ...hookAttacks,
  ...textAttacks,
  ...fileAttacks,
  ...planeAttacks
]
