import type { ComponentChildren, JSX } from "preact"
import { inFull, moment } from "./Words.js"

/** Plain text in which a part between backticks is code. */
export const Prose = ({ text }: { readonly text: string }): JSX.Element => (
  <>{text.split("`").map((part, index) => index % 2 === 0 ? part : <code key={index}>{part}</code>)}</>
)

/** An address that may be opened: no other scheme than these two comes out of the page. */
export const isSafe = (url: string): boolean => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)

/** A link to another program. Where its address is none that may be opened, only its words. */
export const Away = ({ children, label, look, url }: {
  readonly url: string | null
  readonly look?: string
  readonly label?: string
  readonly children: ComponentChildren
}): JSX.Element =>
  url !== null && isSafe(url)
    ? (
      <a href={url} rel="noreferrer" target="_blank" class={look} aria-label={label}>
        {children}
        <span class="out" aria-hidden="true">{" "}↗</span>
      </a>
    )
    : <span>{children}</span>

/** A moment, with its date for who points at it. */
export const At = ({ iso, now, seconds = false }: {
  readonly iso: string
  readonly now: number
  readonly seconds?: boolean
}): JSX.Element => <time dateTime={iso} title={inFull(iso)}>{moment(iso, now, seconds)}</time>

/** The address of a work item's story in this page. */
export const storyOf = (key: string): string => `#/item/${encodeURIComponent(key)}`

/** A button that keeps its focus while it is off. */
export const Button = ({ children, does, isOff = false, look }: {
  readonly does: () => void
  readonly isOff?: boolean
  readonly look?: string
  readonly children: ComponentChildren
}): JSX.Element => (
  <button
    type="button"
    class={look}
    aria-disabled={isOff ? "true" : undefined}
    onClick={() => {
      if (!isOff) does()
    }}
  >
    {children}
  </button>
)
