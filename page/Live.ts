import { openLive, Refused } from "./Client.js"

/** How the page is connected. Times are milliseconds of the browser's clock. */
export type Link =
  | { readonly _tag: "Connecting" }
  | { readonly _tag: "Live" }
  /** Nothing is heard, and what is shown is from then. */
  | { readonly _tag: "Stale"; readonly since: number; readonly nextTry: number; readonly why: string }
  /** There are as many live streams as may be: the page reads now and then instead. */
  | { readonly _tag: "Crowded"; readonly nextTry: number; readonly why: string }

/** A server that lives sends a line each 10 s. */
const silence = 25_000
const pauses = [1_000, 2_000, 4_000, 8_000, 15_000]

/** The events in what was read, and what is left over for the next reading. */
export const eventsIn = (text: string): { readonly events: ReadonlyArray<string>; readonly rest: string } => {
  const parts = text.replace(/\r\n?/g, "\n").split("\n\n")
  const rest = parts.pop() ?? ""
  const events = parts.flatMap((part) => {
    const name = part.split("\n").find((line) => line.startsWith("event:"))
    return name === undefined ? [] : [name.slice("event:".length).trim()]
  })
  return { events, rest }
}

/** Reads one stream to its end, which is always a failure of some kind. */
const read = async (said: (event: string) => void, heard: () => void): Promise<void> => {
  const controller = new AbortController()
  const giveUp = () => controller.abort(new Error("nothing was heard for 25 s"))
  let timer = setTimeout(giveUp, silence)
  try {
    const { body } = await openLive(controller.signal)
    const reader = body?.pipeThrough(new TextDecoderStream()).getReader()
    let rest = ""
    for (;;) {
      const part = await reader?.read()
      if (part?.value === undefined) throw new Error("plane-sync has ended the stream")
      heard()
      clearTimeout(timer)
      timer = setTimeout(giveUp, silence)
      const found = eventsIn(rest + part.value)
      rest = found.rest
      for (const event of found.events) said(event)
    }
  } finally {
    clearTimeout(timer)
  }
}

const sleep = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

/**
 * Follows the stream as long as the page is open, and opens it anew when it ends: after 1 s, later after 15 s at most.
 * `changed`: something has, or may have while nothing was heard. `refused`: the token is none. Then it ends.
 */
export const follow = async (tell: {
  readonly link: (link: Link) => void
  readonly changed: () => void
  readonly refused: () => void
}): Promise<void> => {
  let lastHeard = Date.now()
  for (let tries = 0;; tries += 1) {
    try {
      await read((event) => {
        tries = -1
        if (event === "hello") tell.link({ _tag: "Live" })
        if (event === "hello" || event === "changed") tell.changed()
      }, () => {
        lastHeard = Date.now()
      })
    } catch (error) {
      if (error instanceof Refused && error.status === 401) return tell.refused()
      const why = error instanceof Error ? error.message : "no answer"
      // Not all at once, when many pages have lost the same server.
      const pause = (pauses[Math.max(0, tries)] ?? 15_000) * (0.8 + Math.random() * 0.4)
      const nextTry = Date.now() + pause
      const isCrowded = error instanceof Refused && error.status === 503 && !why.startsWith("Starting or stopping")
      tell.link(isCrowded ? { _tag: "Crowded", nextTry, why } : { _tag: "Stale", since: lastHeard, nextTry, why })
      await sleep(pause)
    }
  }
}
