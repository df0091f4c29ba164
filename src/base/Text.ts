/** How many characters of a long text, like a reason, are kept. A longer one is cut and says so. */
export const reasonLimit = 4_000

/** How many characters of a short text, like a name, are kept. */
export const textLimit = 200

const cutMark = "… (cut)"

// Some receivers refuse NUL, and a terminal obeys the rest. Line feed and tab stay, because long texts have lines.
const controls = /[\u0000-\u0008\u000B-\u001F\u007F]/g

/**
 * Text that can be stored, compared and shown: lone surrogates become U+FFFD, control characters are dropped (line
 * feeds and tabs stay), and what is longer than `limit` characters is cut and ends in "… (cut)".
 */
export const cleanText = (text: string, limit: number): string => {
  const clean = text.toWellFormed().replace(/\r\n?/g, "\n").replace(controls, "")
  if (clean.length <= limit) return clean
  // Cutting between the halves of a surrogate pair would make a lone one again.
  return clean.slice(0, limit).replace(/[\uD800-\uDBFF]$/, "") + cutMark
}

/** `cleanText` for a text within a line: line feeds and tabs become spaces. */
export const cleanLine = (text: string, limit: number): string => cleanText(text.replace(/[\r\n\t]+/g, " "), limit)

// Those of above, those that terminals obey although they are not of ASCII, and those that turn the direction of text.
const obeyed = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u061C\u200E\u200F\u2028-\u202E\u2066-\u206F]/g

const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`

/** A text from outside as a terminal may show it: what it would obey is escaped, like "\u009b". Within JSON, too. */
export const visible = (text: string): string => text.replace(obeyed, escaped)

/** `visible` for a text within a line, cut like `cleanLine`. */
export const visibleLine = (text: string, limit: number): string =>
  cleanLine(visible(text.replace(/\r\n?/g, "\n")), limit)

/** Escapes the characters that have a meaning in HTML, in text and in attributes. */
export const escapeHtml = (text: string): string =>
  text
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/"/g, "&quot;")
    .replace(/'/g, "&#39;")

const entities: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: "\"",
  "#39": "'",
  "#x27": "'",
  nbsp: " "
}

/** The text that `escapeHtml`, or an editor of HTML, has escaped. */
export const unescapeHtml = (html: string): string =>
  html.replace(/&(amp|lt|gt|quot|#39|#x27|nbsp);/gi, (whole, name: string) => entities[name.toLowerCase()] ?? whole)

/** A number with what it counts: "1 event waits", "2 events wait". */
export const counted = (count: number, one: string, more: string): string => `${count} ${count === 1 ? one : more}`
