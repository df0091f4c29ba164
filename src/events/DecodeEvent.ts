import type { Decoder } from "../base/Decoder.js"
import { decoderOf } from "../base/Decoder.js"
import type { StageEvent } from "../domain/StageEvent.js"
import { StageEventJson } from "../domain/StageEvent.js"

/** Decodes an event that a client sent or a person typed. */
export const decodeEvent: Decoder<StageEvent> = decoderOf(StageEventJson)
