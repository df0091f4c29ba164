import effect from "@effect/eslint-plugin"
import tseslint from "typescript-eslint"

// One direction: a folder imports only from the folders named before it (and from itself).
const folders = ["domain", "plane", "outbox", "sync", "orchestrator", "webhooks", "http", "cli"]

const forbid = (folder, later) => ({
  files: [`src/${folder}/**/*.ts`],
  rules: {
    "no-restricted-imports": ["error", {
      patterns: [
        {
          group: later.flatMap((name) => [`../${name}/*`, `../../${name}/*`]),
          message: `src/${folder} may not import from ${later.join(", ")}: data flows one way.`
        },
        { group: ["../index.js", "../main.js"], message: "index and main import the folders, never the reverse." },
        barrel
      ]
    }]
  }
})

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
  forbid("simulator", folders.filter((name) => name !== "domain" && name !== "plane"))
)
