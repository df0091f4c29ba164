import { Either, JSONSchema, ParseResult, Schema } from "effect"
import { isReadable } from "../base/Glob.js"
import { commentModes } from "../domain/CommentMode.js"
import type { CommentKind } from "../domain/CommentTexts.js"
import { commentValues } from "../domain/CommentTexts.js"
import { stateGroups, StateIdText } from "../domain/StageStates.js"
import { labelName, userName } from "../domain/StartMarks.js"
import type { Template } from "../domain/Template.js"
import { longestTemplate, parseTemplate } from "../domain/Template.js"

/** The name of a variable of the environment, where something secret is: no secret stands in the file. */
const Variable = Schema.String.pipe(
  Schema.pattern(/^[A-Z][A-Z0-9_]{2,80}$/, {
    message: () => "expected the name of a variable, like \"ORCH_PLANE_API_TOKEN\", and not the secret itself"
  }),
  Schema.annotations({ description: "the name of the variable that holds it" })
)

const Glob = Schema.NonEmptyTrimmedString.pipe(
  Schema.filter(isReadable, { message: () => "expected a glob, in which a bracket that is meant is written \\\\[" })
)

const Repository = Glob.pipe(
  Schema.filter((text) => /[/*?]/u.test(text), { message: () => "expected owner/name, or a glob of such names" })
)

const Login = Schema.String.pipe(
  Schema.pattern(/^[^\s"*?{}[\]]+$/u, { message: () => "expected a login, without blanks" })
)

const DurationText = Schema.String.pipe(
  Schema.pattern(/^\d+ (millis|seconds?|minutes?|hours?)$/, {
    message: () => "expected a duration, like \"2 minutes\""
  })
)

const Workspace = Schema.String.pipe(
  Schema.pattern(/^[\p{L}\p{N}_-]{1,80}$/u, {
    message: () => "expected a workspace's name as it stands in Plane's addresses, like \"ag_proj\""
  })
)

const Address = Schema.String.pipe(
  Schema.pattern(/^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/u, {
    message: () => "expected an address, like \"https://git.example.org\", without user, password or query"
  })
)

/** A state in Plane: its name, its id, or the first state of a group. */
const State = Schema.Union(
  Schema.NonEmptyTrimmedString.annotations({ description: "the state's name in Plane" }),
  Schema.Struct({ name: Schema.NonEmptyTrimmedString }),
  Schema.Struct({ id: Schema.encodedSchema(StateIdText) }),
  Schema.Struct({ group: Schema.Literal(...stateGroups) })
).annotations({
  identifier: "State",
  description: "a state: by its name, by its id, or the first of a group",
  message: () => ({
    message: `expected a state's name, {"name": …}, {"id": a UUID} or {"group": ${stateGroups.join(" | ")}}`,
    override: true
  })
})
export type StateText = typeof State.Type

const Stage = Schema.Struct({
  stage: Schema.NonEmptyTrimmedString,
  state: Schema.optionalWith(State, { exact: true }),
  agent: Schema.optionalWith(Schema.NonEmptyTrimmedString, { exact: true }),
  gates: Schema.optionalWith(Schema.Array(Schema.NonEmptyTrimmedString), { exact: true }),
  patience: Schema.optionalWith(
    DurationText.annotations({ description: "how long a task may be at the stage before somebody is asked" }),
    { exact: true }
  )
})

const Forge = Schema.Struct({
  url: Address,
  token: Schema.optionalWith(Variable, { exact: true }),
  webhookSecret: Schema.optionalWith(Variable, { exact: true })
}).annotations({ description: "a Gitea of its own; without it the one of ORCH_GITEA_URL" })

const LabelName = Schema.String.pipe(
  Schema.pattern(labelName, { message: () => "expected a label's name, like \"agent\", without blanks at its ends" })
)

const UserName = Schema.String.pipe(
  Schema.pattern(userName, { message: () => "expected a user's e-mail address or id, like \"agent@example.org\"" })
)

const optional = <A, I, R>(schema: Schema.Schema<A, I, R>, description: string) =>
  Schema.optionalWith(schema.annotations({ description }), { exact: true })

const Start = Schema.Struct({
  label: optional(LabelName, "the label that starts the task of a work item to which a person gives it"),
  assignee: optional(UserName, "the user who starts the task of a work item by being assigned to it: e-mail or id")
}).annotations({ description: "what starts a task, besides a person's move to a started state" })

const Parsed = Schema.declare((value): value is Template => typeof value === "object" && value !== null)

/** The text of a comment, with the values that it may name. */
const Text = (kind: CommentKind) => {
  const { always, perhaps } = commentValues[kind]
  const values = [...always.map((name) => `{${name}}`), ...perhaps.map((name) => `[ {${name}}]`)].join(", ")
  return Schema.optionalWith(
    Schema.transformOrFail(
      Schema.String.annotations({
        description: `one line of plain text, up to ${longestTemplate} characters; its values: ${values}`
      }),
      Parsed,
      {
        strict: true,
        decode: (text, _, ast) =>
          Either.mapLeft(parseTemplate(text, commentValues[kind]), (why) => new ParseResult.Type(ast, text, why)),
        encode: (template, _, ast) => ParseResult.fail(new ParseResult.Forbidden(ast, template, "it is only read"))
      }
    ),
    { exact: true }
  )
}

const Texts = Schema.Struct({
  stageChanged: Text("stageChanged"),
  gateFailed: Text("gateFailed"),
  taskCompleted: Text("taskCompleted"),
  questionAsked: Text("questionAsked")
}).annotations({
  description: "what comments say instead of the usual; words in [ ] are only there if the values in them are; " +
    "{{, }}, [[ and ]] are a brace or a bracket"
})

const Project = Schema.Struct({
  id: optional(Schema.UUID, "Plane's id of the project; without it Plane is asked, by the identifier"),
  workspace: optional(Workspace, "the workspace that it is in; without it the one of all projects"),
  apiToken: optional(Variable, "the variable that holds its API token; without it ORCH_PLANE_API_TOKEN"),
  webhookSecret: optional(Variable, "the variable that holds the secret of its workspace's webhook"),
  stages: optional(
    Schema.Record({ key: Schema.NonEmptyTrimmedString, value: State }),
    "the state of each stage; a stage that is not listed changes no state"
  ),
  pipeline: optional(Schema.Array(Stage), "the stages of its tasks, in their order"),
  branches: optional(Schema.Array(Glob), "the branches into which a pull request counts, besides the default branch"),
  repositories: optional(Schema.Array(Repository), "the repositories whose pull requests count; without any, all do"),
  forks: optional(Schema.Boolean, "whether pull requests of forks count"),
  reviewers: optional(Schema.Array(Login), "the logins whose reviews count"),
  requiredChecks: optional(Schema.Array(Glob), "the checks that must be green"),
  ciUsers: optional(Schema.Array(Login), "the users whose checks count"),
  warning: optional(Schema.Literal("success", "failure", "pending"), "what a check that ends in a warning counts as"),
  settle: optional(DurationText, "how long nothing new must come of a commit's checks"),
  start: Schema.optionalWith(Start, { exact: true }),
  commands: optional(
    Schema.Array(UserName),
    "the people whose comments that begin with a command, like /approve, are obeyed: e-mail addresses or ids"
  ),
  attention: optional(Schema.Array(UserName), "who is asked when a task waits for somebody, one after the other"),
  comments: optional(
    Schema.Literal(...commentModes),
    "one comment for all that is owed at once, one each, or one that is edited"
  ),
  onConflict: optional(Schema.Literal("respect", "force"), "whether a work item that a person has cancelled stays so"),
  texts: Schema.optionalWith(Texts, { exact: true }),
  gitea: Schema.optionalWith(Forge, { exact: true })
})
export type ProjectText = typeof Project.Type

/** What a file `plane-sync.json` says. */
export const ProjectsFile = Schema.Struct({
  $schema: optional(Schema.String, "where this file's schema is, for editors"),
  workspace: optional(Workspace, "the workspace of all projects; without it ORCH_PLANE_WORKSPACE_SLUG"),
  projects: Schema.Record({ key: Schema.String, value: Project }).annotations({
    description: "the projects, each by its identifier: ET of ET-2"
  })
}).annotations({ identifier: "plane-sync.json" })
export type ProjectsFile = typeof ProjectsFile.Type

/** The JSON Schema of the file, for editors. */
export const projectsFileSchema = (): string => `${JSON.stringify(JSONSchema.make(ProjectsFile), null, 2)}\n`
