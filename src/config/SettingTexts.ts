import type { Setting, SettingDefinition } from "../base/Setting.js"
import type { SettingGroup } from "./AllSettings.js"
import { firstSettings, optionalSettings } from "./AllSettings.js"

const lineLength = 120

/** A text as comment lines. */
const commented = (text: string): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let line = "#"
  for (const word of text.split(" ")) {
    if (line.length + 1 + word.length > lineLength) {
      lines.push(line)
      line = "#"
    }
    line += ` ${word}`
  }
  return [...lines, line]
}

const entry = (mark: "" | "#") => ({ definition: { about, defaultText, name } }: Setting<unknown>) => [
  ...commented(about),
  `${mark}${name}=${defaultText}`
]

/** The text of `.env.example`: a line for each setting, with its default. */
export const envExample = (): string =>
  [
    "# All settings of plane-sync. Each line shows the default; a real environment variable wins over this file.",
    "# This file is written by `npm run settings -- --write`. docs/settings.md says what each setting accepts.",
    "",
    ...firstSettings.settings.flatMap(entry("")),
    "",
    "# All settings below are optional.",
    ...optionalSettings.flatMap(({ settings, title }) => ["", `## ${title}`, ...settings.flatMap(entry("#"))]),
    ""
  ].join("\n")

const cell = (text: string) => text.replaceAll("|", "\\|")

/** What fits into a cell. */
const mostText = 60

const defaultOf = ({ defaultText, defaultWords }: SettingDefinition) =>
  defaultWords ?? (defaultText.length > mostText ? "see `.env.example`" : `\`${defaultText}\``)

const row = ({ definition }: Setting<unknown>) =>
  `| ${
    [
      `\`${definition.name}\``,
      defaultOf(definition),
      definition.secret ? `${definition.about} Its value is never shown.` : definition.about,
      definition.expected
    ].map(cell).join(" | ")
  } |`

const table = ({ settings, title }: SettingGroup) => [
  "",
  `## ${title}`,
  "",
  "| name | default | what it does | accepted |",
  "| --- | --- | --- | --- |",
  ...settings.map(row)
]

/** The text of docs/settings.md. */
export const settingsPage = (): string =>
  [
    "# Settings",
    "",
    "plane-sync reads its settings from the environment, and from a file `.env` in the working directory. The",
    "environment wins. A variable that is missing or empty has its default. A wrong value stops the program at the",
    "start: it says the variable's name, what was given (never of a secret) and what would be right.",
    "",
    "This page and `.env.example` are written by `npm run settings -- --write`.",
    ...[firstSettings, ...optionalSettings].flatMap(table),
    ""
  ].join("\n")
