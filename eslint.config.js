import effect from "@effect/eslint-plugin"
import tseslint from "typescript-eslint"

// One direction: a folder imports only from the folders named before it (and from itself).
const folders = ["domain", "plane", "outbox", "sync", "orchestrator", "webhooks", "http", "cli"]

// A path into one of these folders, or to the package's ends, whatever way it goes there.
const up = "^\\.{1,2}/(.*/)?"
const into = (names) => `${up}(${names.join("|")})/`
const ends = `${up}(index|main)\\.js$|^plane-sync(/|$)`

const forbid = (folder, later) => {
  const message = `src/${folder} may not import from ${later.join(", ")}: data flows one way.`
  const patterns = [into(later), ends, barrel.regex]
  const dynamic = patterns.join("|").replaceAll("/", "\\/")
  return {
    files: [`src/${folder}/**/*.ts`],
    rules: {
      "no-restricted-imports": ["error", {
        patterns: [
          { regex: into(later), message },
          { regex: ends, message: "index and main import the folders, never the reverse." },
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
        }
      ]
    }
  }
}

const barrel = {
  regex: "^@effect/(platform-node|platform|sql|sql-sqlite-node|experimental)$",
  message: "Import the module (\"@effect/platform-node/NodeHttpClient\"): the barrel doubles the time to start."
}

export default tseslint.config(
  { ignores: ["dist/**", "node_modules/**", "data/**"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  ...effect.configs.dprint,
  {
    files: ["**/*.ts", "**/*.js"],
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
    files: ["**/*.ts"],
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
  ...folders.map((folder, index) => forbid(folder, [...folders.slice(index + 1), "simulator"])),
  // What stands in for Plane shares no word with its client: a mistake of the one must not be made by both.
  forbid("simulator", folders)
)
