import effect from "@effect/eslint-plugin"
import tseslint from "typescript-eslint"

// Which rooms (folders of src) each room may import, besides itself. docs/architecture.md says what they hold.
const base = ["base"]
const domain = [...base, "domain"]
const outbox = [...domain, "metrics", "storage"]
const events = [...outbox, "outbox"]
const tasks = [...events, "events"]
const gitea = [...tasks, "tasks"]
const webhooks = [...gitea, "gitea", "people", "plane", "sending"]
const config = [...gitea, "gitea", "people", "plane", "webhooks", "launching"]
const repair = [...webhooks, "webhooks"]
const health = [...repair, "repair", "views"]
const overview = [...health, "health"]
const ends = [...overview, "config", "launching"]

/** The map. A room that is not in it may import nothing, and a test says so. */
export const rooms = {
  base: [],
  domain: base,
  metrics: base,
  storage: [...base, "metrics"],
  plane: [...domain, "metrics"],
  outbox,
  events,
  sending: [...tasks, "plane"],
  tasks,
  launching: gitea,
  people: gitea,
  gitea,
  webhooks,
  repair,
  config,
  views: [...webhooks, "webhooks"],
  health,
  overview,
  doctor: ends,
  http: [...ends, "overview"],
  cli: [...ends, "doctor"],
  simulator: []
}

/** The tables, and the one room of each in which its SQL stands. */
export const tables = {
  storage: ["migrations"],
  outbox: [
    "lane",
    "event",
    "delivery",
    "sender",
    "replica",
    "count",
    "count_of",
    "folded",
    "project",
    "link",
    "usage",
    "assignee"
  ],
  tasks: [
    "task",
    "verdict",
    "report",
    "launch",
    "task_story",
    "task_stage",
    "task_usage",
    "counted_report",
    "task_mark",
    "decision",
    "answer"
  ],
  gitea: ["repository", "pull_request", "claim", "commit_status", "review"],
  webhooks: ["webhook", "webhook_body", "webhook_about"],
  people: ["wait", "notice", "command"],
  repair: ["watermark", "hearing", "unread"]
}

// A path into one of these rooms, or to the package's ends, whatever way it goes there.
const up = "^\\.{1,2}/(.*/)?"
const into = (names) => `${up}(${names.join("|")})/`
const packageEnds =
  `${up}(index|main|Schema|StorageLayers|PlaneSyncLayers|OrchestratorLayers|HttpLayers)\\.js$|^plane-sync(/|$)`

const rulesOf = ([room, allowed]) => {
  const others = Object.keys(rooms).filter((name) => name !== room && !allowed.includes(name))
  const message = `src/${room} may import ${allowed.join(", ") || "no other room"}: data flows one way.`
  const own = tables[room] ?? ["nothing"]
  const foreign = Object.entries(tables).filter(([owner]) => owner !== room).flatMap(([, names]) => names)
  const dynamic = [into(others), packageEnds, barrel.regex].join("|").replaceAll("/", "\\/")
  // Tables of other rooms, and all names that do not begin like one of our own, such as those of indexes do.
  // A metric has a name that begins like a table's; nothing stands before it.
  const table = room === "metrics"
    ? "/.plane_sync_/"
    : `/plane_sync_((${foreign.join("|")})(?![a-z_])|(?!${own.join("|")}))/`
  return {
    files: [`src/${room}/**/*.ts`],
    rules: {
      "no-restricted-imports": ["error", {
        patterns: [
          { regex: into(others), message },
          { regex: packageEnds, message: "The package's ends import the rooms, never the reverse." },
          barrel
        ]
      }],
      // The rule above does not look at `import()`.
      "no-restricted-syntax": [
        "error",
        {
          selector: `ImportExpression[source.value=/${dynamic}/]`,
          message: "Data flows one way, also when it is loaded late."
        },
        {
          selector: "ImportExpression[source.type!='Literal']",
          message: "Name the module, so that this rule can look at it."
        },
        ...["TemplateElement[value.raw", "Literal[value"].map((node) => ({
          selector: `${node}=${table}]`,
          message: "The SQL of a table stands in the room that owns it."
        })),
        ...(room in tables ? [] : ["TaggedTemplateExpression", "CallExpression[callee.property.name='unsafe']"]).map(
          (selector) => ({ selector, message: "SQL stands in rooms that own tables." })
        )
      ]
    }
  }
}

const barrel = {
  regex: "^@effect/(platform-node|platform|sql|sql-sqlite-node|experimental)$",
  message: "Import the module (\"@effect/platform-node/NodeHttpClient\"): the barrel doubles the time to start."
}

export default tseslint.config(
  { ignores: [".test-build/**", "dist/**", "node_modules/**", "data/**"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  ...effect.configs.dprint,
  {
    files: ["**/*.ts", "**/*.tsx", "**/*.js"],
    rules: {
      "@effect/dprint": ["error", {
        config: {
          indentWidth: 2,
          lineWidth: 120,
          semiColons: "asi",
          quoteStyle: "alwaysDouble",
          trailingCommas: "never",
          operatorPosition: "maintain",
          "arrowFunction.useParentheses": "force"
        }
      }]
    }
  },
  {
    files: ["**/*.ts", "**/*.tsx"],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "@typescript-eslint/array-type": ["error", { default: "generic" }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-import-type-side-effects": "error",
      // `Effect.gen(function*() {})` without a yield and `yield*` of a void are ordinary here.
      "require-yield": "off",
      "@typescript-eslint/no-confusing-void-expression": "off",
      "@typescript-eslint/no-invalid-void-type": "off",
      // A service is a class whose only body is its type.
      "@typescript-eslint/no-extraneous-class": "off",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      // Methods of Effect services are plain functions in objects; `this` is never used.
      "@typescript-eslint/unbound-method": "off"
    }
  },
  { files: ["**/*.js"], ...tseslint.configs.disableTypeChecked },
  {
    files: ["page/**/*.ts", "page/**/*.tsx"],
    plugins: { "@typescript-eslint": tseslint.plugin },
    rules: {
      "@typescript-eslint/no-restricted-imports": ["error", {
        patterns: [{
          regex: "/src/|^effect|^@effect|^node:",
          allowTypeImports: true,
          message: "The page takes only types."
        }]
      }],
      "no-restricted-syntax": ["error", {
        selector: "[name=/^(dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML)$/]",
        message: "What comes from outside is shown as text."
      }]
    }
  },
  ...Object.entries(rooms).map(rulesOf)
)
