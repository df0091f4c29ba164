import * as CliConfig from "@effect/cli/CliConfig"
import * as CommandDescriptor from "@effect/cli/CommandDescriptor"
import * as HelpDoc from "@effect/cli/HelpDoc"
import type * as Span from "@effect/cli/HelpDoc/Span"
import * as Primitive from "@effect/cli/Primitive"
import * as Usage from "@effect/cli/Usage"
import { HashMap, HashSet, Option } from "effect"
import { stripVTControlCharacters } from "node:util"
import { version } from "../base/Version.js"
import { commandsOf, helpOf } from "./Help.js"
import { wrapped, wrappedCommand, wrappedUsage } from "./Wrap.js"

type Descriptor = CommandDescriptor.Command<unknown>

const config = CliConfig.make({ showBuiltIns: false })

const textOf = (doc: HelpDoc.HelpDoc) => stripVTControlCharacters(HelpDoc.toAnsiText(doc)).trim()
const spanText = (span: Span.Span) => textOf(HelpDoc.p(span))

/** A document as a list of what it is a sequence of. */
const membersOf = (doc: HelpDoc.HelpDoc): ReadonlyArray<HelpDoc.HelpDoc> =>
  HelpDoc.isSequence(doc) ? [...membersOf(doc.left), ...membersOf(doc.right)] : HelpDoc.isEmpty(doc) ? [] : [doc]

// That a text is a text is no help, and the usage shows by itself what is optional or repeated.
const plain = [
  Primitive.getHelp(Primitive.text),
  Primitive.getHelp(Primitive.integer),
  Primitive.getHelp(Primitive.boolean(Option.none()))
].map(spanText).concat("This setting is optional.", "This option may be repeated zero or more times.")

/** As it is typed: the choices of an argument stand below it, and those of an option without blanks. */
const tidy = (usage: string): string => usage.replace(/(<\w+>) \w+(?: \| \w+)+/g, "$1").replaceAll(" | ", "|")

// An option that may be repeated may be left out as well.
const bracketed = (usage: string): string => usage.replace(/(?<!\[)--[\w-]+ \w+\.\.\./g, "[$&]")

interface Definition {
  readonly term: string
  readonly about: ReadonlyArray<string>
}

const definitionsOf = (doc: HelpDoc.HelpDoc): ReadonlyArray<Definition> =>
  HelpDoc.isDescriptionList(doc)
    ? doc.definitions.map(([term, about]) => {
      const choices = / (\w+(?: \| \w+)+)$/.exec(spanText(term))?.[1]
      return {
        term: tidy(spanText(term)),
        about: membersOf(about).map(textOf).filter((text) =>
          !plain.includes(text) && (choices === undefined || !text.startsWith("One of the following: "))
        )
      }
    })
    : []

/** The definitions that follow a header: ARGUMENTS or OPTIONS. */
const sectionOf = (members: ReadonlyArray<HelpDoc.HelpDoc>, header: string): ReadonlyArray<Definition> => {
  const begin = members.findIndex((member) => HelpDoc.isHeader(member) && spanText(member.value) === header) + 1
  if (begin === 0) return []
  const end = members.findIndex((member, index) => index >= begin && HelpDoc.isHeader(member))
  return members.slice(begin, end === -1 ? members.length : end).flatMap(definitionsOf)
}

/** The program's commands, as the parser knows them. */
export interface Commands {
  readonly root: Descriptor
  readonly below: ReadonlyArray<Descriptor>
}

/** The command that the words name, as far as they name one, and its name. */
const commandOf = ({ below, root }: Commands, [first = "", second = ""]: ReadonlyArray<string>) => {
  const group = below.find((command) => HashSet.has(CommandDescriptor.getNames(command), first))
  if (group === undefined) return { command: root, names: [] }
  // A command that has none below it would name itself.
  const command = commandsOf([first]).some(([name]) => name === second)
    ? HashMap.get(CommandDescriptor.getSubcommands(group), second)
    : Option.none()
  return Option.match(command, {
    onNone: () => ({ command: group, names: [first] }),
    onSome: (command) => ({ command, names: [first, second] })
  })
}

/** The options, of the command that the words name, that take a value. */
export const optionsWithValue = (commands: Commands, words: ReadonlyArray<string>): ReadonlyArray<string> => {
  const members = membersOf(CommandDescriptor.getHelp(commandOf(commands, words).command, config))
  return sectionOf(members, "OPTIONS").flatMap(({ term }) => /^(--\S+) \S/.exec(term)?.[1] ?? [])
}

const section = (header: string, lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.length === 0 ? [] : ["", header, "", ...lines]

const defined = (definitions: ReadonlyArray<Definition>): ReadonlyArray<string> =>
  definitions.flatMap(({ about, term }) => [
    ...wrappedUsage(term, "  ", "      "),
    ...about.flatMap((text) => wrapped(text, "      "))
  ])

const listed = (commands: ReadonlyArray<readonly [name: string, line: string]>): ReadonlyArray<string> => {
  const width = Math.max(...commands.map(([name]) => name.length)) + 4
  return commands.flatMap(([name, line]) => wrapped(line, `  ${name}`.padEnd(width), " ".repeat(width)))
}

/** What `--help` prints of the command that the words name: nothing is wider than 80 columns, and no word broken. */
export const helpText = (commands: Commands, words: ReadonlyArray<string>): string => {
  const { command, names } = commandOf(commands, words)
  const { examples, line, more = [] } = helpOf(names)
  const members = membersOf(CommandDescriptor.getHelp(command, config))
  // The parser knows a command's own name, and not those above it.
  const usage = bracketed(tidy(textOf(Usage.getHelp(CommandDescriptor.getUsage(command))).replace(/^\S+/, "")))
  const title = ["plane-sync", ...names].join(" ")
  const below = commandsOf(names)
  const lines = [
    ...(names.length === 0 ? [`${title} ${version}`] : [title]),
    "",
    ...wrapped(line, "  "),
    ...section(
      "USAGE",
      wrappedUsage(
        `${title}${below.length === 0 ? usage : names.length === 0 ? " [<command>]" : " <command>"}`,
        "  ",
        "      "
      )
    ),
    ...section("ARGUMENTS", defined(sectionOf(members, "ARGUMENTS"))),
    ...section("OPTIONS", defined(sectionOf(members, "OPTIONS"))),
    ...section("COMMANDS", below.length === 0 ? [] : listed(below)),
    ...section("MORE", more.flatMap((text, index) => [...(index === 0 ? [] : [""]), ...wrapped(text, "  ")])),
    ...section("EXAMPLES", examples.flatMap((example) => wrappedCommand(example, "  $ ", "      "))),
    ...section("SETTINGS", wrapped(settings, "  ")),
    ...section("EXIT CODES", wrapped(exitCodes, "  "))
  ]
  return lines.join("\n")
}

const settings = "Environment variables ORCH_…, or a file .env in the working directory: see .env.example"
const exitCodes = "0 done; 1 failed because of a setting, the address, storage or Plane; 2 wrong use"
