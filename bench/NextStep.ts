import { Either } from "effect"
import { defaultTexts } from "../src/domain/CommentTexts.js"
import type { StageTable } from "../src/domain/StageStates.js"
import { givenIds } from "../src/domain/StageStates.js"
import type { PlaneConfig } from "../src/plane/PlaneConfig.js"
import { nextStep } from "../src/sending/NextStep.js"

/** Decides what is sent, for rows that send nothing. */
export const planBy = (config: Pick<PlaneConfig, "comments">, stages: StageTable) =>
  nextStep({
    ...config,
    stages,
    states: () => givenIds(stages),
    setting: "the table",
    texts: defaultTexts,
    pipeline: [],
    linkAddress: Either.right
  })
