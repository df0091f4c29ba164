interface Help {
  /** One line, shown beside the command in a list of commands. */
  readonly line: string
  readonly more?: ReadonlyArray<string>
  readonly examples: ReadonlyArray<string>
}

const beside =
  "Works on the database of ORCH_DATABASE_URL. A running `plane-sync serve` notices changes within a second."

/** What `--help` says of each command. */
const commands = {
  serve: {
    line: "Run the HTTP interface and send to Plane, until SIGTERM; this is the default",
    examples: ["plane-sync", "plane-sync serve"]
  },
  init: {
    line: "Set plane-sync up for your Plane: asks, and writes .env and plane-sync.json",
    more: [
      "Asks for Plane's address and API token, shows the projects and their states, and proposes the state of each " +
      "stage. Ends with `plane-sync doctor`. Sends at most 8 requests in all, which change nothing in Plane.",
      "Without a terminal nothing is asked: the address and the workspace come by options or variables, the API token " +
      "by ORCH_PLANE_API_TOKEN or standard input, and what is proposed is taken.",
      "What is there is only replaced if you say so. All other lines of a file .env stay as they are."
    ],
    examples: [
      "plane-sync init",
      "plane-sync init --url http://localhost:8091/ag_proj/projects/ --project ET",
      "plane-sync init --url https://plane.example.org --workspace acme --token-stdin < token"
    ]
  },
  publish: {
    line: "Publish an event: what happened to a task",
    more: [
      "Prints the event's id once it is on disk. A running `plane-sync serve` on the database of ORCH_DATABASE_URL sends " +
      "it; without one it waits."
    ],
    examples: ["plane-sync publish stage-changed ET-002 --from analysis --to architecture --agent architect"]
  },
  "publish stage-changed": {
    line: "A task's stage has changed: sets the work item's state, and adds a comment",
    examples: ["plane-sync publish stage-changed ET-002 --from analysis --to architecture --agent architect"]
  },
  "publish gate-failed": {
    line: "A quality gate has failed: adds a comment",
    examples: ["plane-sync publish gate-failed ET-002 --stage testing --check coverage --reason \"71 % < 80 %\""]
  },
  "publish completed": {
    line: "A task is done: sets the state of the stage \"done\", and adds a comment",
    examples: ["plane-sync publish completed ET-002"]
  },
  "publish question-asked": {
    line: "Somebody asks a question: adds a comment",
    examples: [
      "plane-sync publish question-asked ET-002 --question \"May the old table be dropped?\" --agent architect"
    ]
  },
  events: {
    line: "List published events and what became of them, newest first",
    more: [
      "Columns: when it happened, the work item, the status, what happened, and why it waits or is a dead letter.",
      "Reads the database of ORCH_DATABASE_URL, also while `plane-sync serve` is running."
    ],
    examples: ["plane-sync events --status dead", "plane-sync events --work-item ET-002 --json"]
  },
  dead: {
    line: "List, show, retry or discard dead letters: deliveries that are not tried again by themselves",
    more: [beside],
    examples: ["plane-sync dead list --code not_found", "plane-sync dead retry --code not_found"]
  },
  "dead list": {
    line: "List dead letters, newest first",
    more: [
      "Columns: the id, when it became a dead letter, the work item, the kind of request, the code, the attempts, and " +
      "why."
    ],
    examples: ["plane-sync dead list", "plane-sync dead list --code refused --json"]
  },
  "dead show": { line: "Show everything about a dead letter", examples: ["plane-sync dead show 7"] },
  "dead retry": {
    line: "Retry a dead letter, or all of a code",
    more: [
      "A comment is sent after what its work item is owed now. It keeps its time, and cannot double. A state becomes that " +
      "of the latest stage.",
      beside
    ],
    examples: ["plane-sync dead retry 7", "plane-sync dead retry --code not_found"]
  },
  "dead discard": {
    line: "Discard a dead letter, or all of a code: it is never sent",
    more: [beside],
    examples: ["plane-sync dead discard 7", "plane-sync dead discard --code wrong_project"]
  },
  notices: {
    line: "List, retry or discard notices that were given up: nobody was reached by them",
    more: [
      "They are what people are told by ORCH_NOTICE_URL when a task waits for somebody. What Plane was not told of is in " +
      "`plane-sync dead`.",
      beside
    ],
    examples: ["plane-sync notices list", "plane-sync notices retry --all"]
  },
  "notices list": {
    line: "List notices that were given up, newest first",
    more: [
      "Columns: the id, when it was given up, the work item, the kind of notice, what the task waits for, the attempts, " +
      "and why."
    ],
    examples: ["plane-sync notices list", "plane-sync notices list --json"]
  },
  "notices retry": {
    line: "Retry a notice that was given up, or all",
    more: [
      "It is sent as often as a new one, in its old place. One that calls for what nobody is needed for any more is not " +
      "retried.",
      beside
    ],
    examples: ["plane-sync notices retry 3", "plane-sync notices retry --all"]
  },
  "notices discard": {
    line: "Discard a notice that was given up, or all: it is never sent",
    more: [beside],
    examples: ["plane-sync notices discard 3", "plane-sync notices discard --all"]
  },
  task: {
    line: "List, show, start, pause or advance tasks, or report on their stages",
    more: [beside],
    examples: ["plane-sync task list --status active", "plane-sync task report ET-002 --stage analysis passed"]
  },
  "task list": {
    line: "List tasks, newest first",
    more: [
      "Columns: the work item, the status, the stage, the stage's agent, when it last changed, and the gates that do not " +
      "hold."
    ],
    examples: ["plane-sync task list", "plane-sync task list --since 2026-11-01T00:00:00Z --json"]
  },
  "task show": {
    line: "Show a task, what its gates and agents say, what it has taken, and its story",
    examples: ["plane-sync task show ET-002"]
  },
  "task start": {
    line: "Start a task for a work item, continue one that was paused or stopped, or begin one anew that is done",
    more: ["Safe to repeat. A running `plane-sync serve` advances the task and launches its agents.", beside],
    examples: ["plane-sync task start ET-002", "plane-sync task start ET-002 --agent claude"]
  },
  "task report": {
    line: "Report that a stage passed or failed, for the gate \"reported\", or overrule its gates",
    more: [
      "Safe to repeat: the last report on a stage counts. A report on a stage that the task has not reached yet counts " +
      "when it gets there. What the agent has used is added to the task's sums, once for each report.",
      "With --override the task leaves its stage whatever the gates say, and the comment in Plane tells who did it and " +
      "why. Repeated, it fails, because the task is not at this stage any more.",
      beside
    ],
    examples: [
      "plane-sync task report ET-002 --stage analysis passed",
      "plane-sync task report ET-002 --stage analysis passed --model sonnet --input-tokens 120400 --cost 1.25",
      "plane-sync task report ET-002 --stage analysis failed --reason \"no acceptance criteria\"",
      "plane-sync task report ET-002 --stage deploy passed --override --by lea --reason \"merged by hand\""
    ]
  },
  "task pause": {
    line: "Pause a task: it stays at its stage until it is started again",
    more: ["Safe to repeat. Reports are kept meanwhile. `plane-sync task start` continues it.", beside],
    examples: ["plane-sync task pause ET-002", "plane-sync task pause ET-002 --by lea --reason \"waits for legal\""]
  },
  "task advance": {
    line: "Have the gates of a task's stage asked now",
    more: ["A running `plane-sync serve` asks them within a second; without one the task waits.", beside],
    examples: ["plane-sync task advance ET-002"]
  },
  explain: {
    line: "Explain a work item: its whole story, oldest first, and what is done next for it",
    more: [
      "Its webhooks and stages, the verdicts of its gates, what was published, and each request to Plane with its answer. " +
      "What is next is planned by the planner that sends.",
      "Reads the database of ORCH_DATABASE_URL, also while `plane-sync serve` is running, and does not ask Plane."
    ],
    examples: ["plane-sync explain ET-2", "plane-sync explain ET-2 --json"]
  },
  backup: {
    line: "Copy the database to a new file, also while `plane-sync serve` is running",
    more: [
      "The copy is the database of ORCH_DATABASE_URL at one moment. It is checked, and on disk, when the command ends " +
      "with 0. docs/setup.md says how to restore it."
    ],
    examples: ["plane-sync backup ./plane-sync-2026-11-29.sqlite"]
  },
  reconcile: {
    line: "Read at once what no webhook has told, and set states that differ from their stages",
    more: [
      "Lists the work items that are not in the state of the stage that was published of them last. It sets those that " +
      "plane-sync has moved last; what somebody else has moved is left, unless --force names it. What a person's move " +
      "means for a task is worked on as after a webhook.",
      "Works beside a running `plane-sync serve`, which then sends; without one it waits for the next. Both share " +
      "Plane's budget of the API token: it takes one request for each 100 work items, and one for each that differs."
    ],
    examples: [
      "plane-sync reconcile --dry-run",
      "plane-sync reconcile --force ET-2 --force ET-7",
      "plane-sync reconcile --yes"
    ]
  },
  probe: {
    line: "Ask Plane now whether it may be written to",
    more: [
      "A running `plane-sync serve` on the database of ORCH_DATABASE_URL asks, and goes on sending at once if Plane is " +
      "back. Without one the command asks itself."
    ],
    examples: ["plane-sync probe"]
  },
  doctor: {
    line: "Check settings, database, Plane, webhooks, Gitea and agents, and say what mends what is wrong",
    more: [
      "Each line begins with ✔ (passed), ! (warned), ✘ (failed) or - (skipped); what follows → mends it. It sends at most " +
      "12 requests for one project, 3 more for each further one, one more where ORCH_COMMANDS has addresses, and never " +
      "more than 30. It changes nothing, and makes no database. With --write it adds a comment to a work item, and deletes it again.",
      "It ends with 1 if a check failed, and with --strict also if one warned."
    ],
    examples: ["plane-sync doctor", "plane-sync doctor --write ET-2", "plane-sync doctor --strict --json"]
  },
  find: {
    line: "Find a work item in Plane: its key, name, state, id and address",
    more: [
      "A key with leading zeros finds the work item whose name contains it, and otherwise the one with that number. A " +
      "key without leading zeros finds the number first."
    ],
    examples: ["plane-sync find ET-2", "plane-sync find ET-002"]
  },
  comment: {
    line: "Add a comment to a work item in Plane, at once",
    examples: ["plane-sync comment ET-002 \"🧪 Test comment from Orchestrator\""]
  }
} satisfies Record<string, Help>

const root: Help = {
  line:
    "Turns what happens to a task into the state and a comment of its work item in Plane. Without a command it runs " +
    "serve.",
  more: ["Also: --help after a command, --version, --log-level debug, --completions bash|zsh|fish"],
  examples: [
    "plane-sync init",
    "plane-sync",
    ...commands.publish.examples,
    "plane-sync events --status dead",
    ...commands.dead.examples,
    ...commands.task.examples,
    "plane-sync explain ET-2",
    "plane-sync doctor",
    "plane-sync find ET-002",
    ...commands.comment.examples
  ]
}

/** The line that a list of commands shows of a command. */
export const lineOf = (command: keyof typeof commands): string => commands[command].line
export const rootLine: string = root.line

/** The commands of a group, in the order of its help. */
export const subcommandsOf = (group: string): ReadonlyArray<string> =>
  Object.keys(commands).filter((name) => name.startsWith(`${group} `)).map((name) => name.slice(group.length + 1))

const isCommand = (words: string): words is keyof typeof commands => Object.hasOwn(commands, words)

/** The help of the command that the words name; of the whole program, if they name none. */
export const helpOf = (words: ReadonlyArray<string>): Help => {
  const name = words.join(" ")
  return isCommand(name) ? commands[name] : root
}

/** The commands below the one that the words name, each with its line. Below the program are all. */
export const commandsOf = (words: ReadonlyArray<string>): ReadonlyArray<readonly [name: string, line: string]> => {
  const prefix = words.length === 0 ? "" : `${words.join(" ")} `
  return Object.entries(commands)
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, { line }]) => [name.slice(prefix.length), line])
}
