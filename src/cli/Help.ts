import * as HelpDoc from "@effect/cli/HelpDoc"

interface Help {
  /** What stands beside the command in a list of commands. */
  readonly line: string
  readonly more?: ReadonlyArray<string>
  readonly examples: ReadonlyArray<string>
}

const beside = "Works on the database of ORCH_DATABASE_URL, also beside a serve, which notices it within a second."

/** What `--help` says of each command. */
const commands = {
  serve: {
    line: "Serve the HTTP interface and tell Plane, until SIGTERM: the default",
    examples: ["plane-sync", "plane-sync serve"]
  },
  publish: {
    line: "Commit what happened to a task",
    more: [
      "Prints the event's id. A serve on the database of ORCH_DATABASE_URL notices it within a second; without one it waits."
    ],
    examples: ["plane-sync publish stage-changed ET-002 --from analysis --to architecture --agent architect"]
  },
  "publish stage-changed": {
    line: "A task's stage has changed: its work item's state, and a comment",
    examples: ["plane-sync publish stage-changed ET-002 --from analysis --to architecture --agent architect"]
  },
  "publish gate-failed": {
    line: "A quality gate has failed: a comment",
    examples: ["plane-sync publish gate-failed ET-002 --stage testing --check coverage --reason \"71 % < 80 %\""]
  },
  "publish completed": {
    line: "A task is done: the state of the stage \"done\", and a comment",
    examples: ["plane-sync publish completed ET-002"]
  },
  events: {
    line: "List what was published and what became of it, newest first",
    more: [
      "When it happened, the work item, its status, what it was, and why it waits or is a dead letter.",
      "Reads the database of ORCH_DATABASE_URL, also beside a serve."
    ],
    examples: ["plane-sync events --status dead", "plane-sync events --work-item ET-002 --json"]
  },
  dead: {
    line: "Dead letters: what was given up; list, retry or discard it",
    more: [beside],
    examples: ["plane-sync dead list --code not_found", "plane-sync dead retry --code not_found"]
  },
  "dead list": {
    line: "List them, newest first",
    more: ["Its id, when it was given up, the work item, what it was to be, its code, its attempts, and why."],
    examples: ["plane-sync dead list", "plane-sync dead list --code refused --json"]
  },
  "dead show": { line: "Show one with all that is known of it", examples: ["plane-sync dead show 7"] },
  "dead retry": {
    line: "Owe one, or all of a code, again",
    more: [
      "A comment goes behind what its work item is owed now, with its own time, and cannot double; a state becomes that " +
      "of the latest stage.",
      beside
    ],
    examples: ["plane-sync dead retry 7", "plane-sync dead retry --code not_found"]
  },
  "dead discard": {
    line: "Give one, or all of a code, up for good",
    more: [beside],
    examples: ["plane-sync dead discard 7", "plane-sync dead discard --code wrong_project"]
  },
  task: {
    line: "Tasks and their stages: list, show or start one, or report on it",
    more: [beside],
    examples: ["plane-sync task list --status active", "plane-sync task report ET-002 --stage analysis passed"]
  },
  "task list": {
    line: "List them, newest first",
    more: ["The work item, its status and stage, the stage's agent, when it changed, and the gates that do not hold."],
    examples: ["plane-sync task list", "plane-sync task list --status active --json"]
  },
  "task show": {
    line: "Show one with what its gates and agents said",
    examples: ["plane-sync task show ET-002"]
  },
  "task start": {
    line: "Make a work item a task, or go on with one that was paused or stopped",
    more: ["Safe to repeat. A serve advances it and launches its agents.", beside],
    examples: ["plane-sync task start ET-002", "plane-sync task start ET-002 --agent claude"]
  },
  "task report": {
    line: "Report that a stage is passed or failed: what the gate \"reported\" goes by",
    more: ["Safe to repeat; the last on a stage stands. On a stage not reached yet it counts when it is.", beside],
    examples: [
      "plane-sync task report ET-002 --stage analysis passed",
      "plane-sync task report ET-002 --stage analysis failed --reason \"no acceptance criteria\""
    ]
  },
  find: {
    line: "Find a work item in Plane: its key, name, state, id and address",
    more: [
      "A key with leading zeros means the work item whose name carries it, if there is one, else the number; a key without " +
      "them means the number first."
    ],
    examples: ["plane-sync find ET-2", "plane-sync find ET-002"]
  },
  comment: {
    line: "Add a comment to a work item in Plane, at once",
    examples: ["plane-sync comment ET-002 \"🧪 Test comment from Orchestrator\""]
  }
} satisfies Record<string, Help>

const root: Help = {
  line: "What happened to a task becomes the state and a comment of its Plane work item. Without a command it serves.",
  more: ["--help after a command, --version, --log-level debug, --completions bash|zsh|fish"],
  examples: [
    "plane-sync",
    ...commands.publish.examples,
    "plane-sync events --status dead",
    ...commands.dead.examples,
    ...commands.task.examples,
    "plane-sync find ET-002",
    ...commands.comment.examples
  ]
}

/** A command's line, which is all that a list of commands shows of it. */
export const lineOf = (command: keyof typeof commands): string => commands[command].line
export const rootLine: string = root.line

/** The commands within a group of them, in the order of its help. */
export const subcommandsOf = (group: string): ReadonlyArray<string> =>
  Object.keys(commands).filter((name) => name.startsWith(`${group} `)).map((name) => name.slice(group.length + 1))

const isCommand = (words: string): words is keyof typeof commands => Object.hasOwn(commands, words)

/** What follows a command's options in its help: more about it, and examples of it rather than of all others. */
export const footerOf = (args: ReadonlyArray<string>): HelpDoc.HelpDoc => {
  const [first = "", second = ""] = args
  const both = `${first} ${second}`
  const help: Help = isCommand(both) ? commands[both] : isCommand(first) ? commands[first] : root
  return HelpDoc.blocks([
    ...(help.more === undefined ? [] : [HelpDoc.h1("MORE"), ...help.more.map((line) => HelpDoc.p(line))]),
    HelpDoc.h1("EXAMPLES"),
    ...help.examples.map((line) => HelpDoc.p(`$ ${line}`)),
    HelpDoc.h1("SETTINGS"),
    HelpDoc.p("Environment variables ORCH_…, or a file .env in the working directory: see .env.example"),
    HelpDoc.h1("EXIT CODES"),
    HelpDoc.p("0 done; 1 it could not be done (a setting, the address, storage, Plane); 2 wrong use")
  ])
}
