import { Config, Either, ParseResult, Schema } from "effect"
import type { Accepted } from "../base/Setting.js"
import { defineSetting, duration, given, globsOf, listOf, matching, oneOf, unset } from "../base/Setting.js"
import { defaultTexts } from "./CommentTexts.js"
import type { Project } from "./Project.js"
import type { PullRequestRules } from "./PullRequestRules.js"
import type { StageStates, StageTable } from "./StageStates.js"
import { defaultStageStates, StateIdText } from "./StageStates.js"
import type { StartMarks } from "./StartMarks.js"
import { labelName, userName } from "./StartMarks.js"

const StageStatesText = Schema.parseJson(
  Schema.ReadonlyMapFromRecord({ key: Schema.NonEmptyString, value: StateIdText })
)

const byId = (states: StageStates): StageTable => new Map(Array.from(states, ([stage, id]) => [stage, { id }]))

const stageStates: Accepted<StageTable> = {
  expected: `JSON, stage → state id, like {"done":"381a2833-3c4e-4be5-bd0f-be84cb946ad8"}`,
  parse: (text) =>
    Either.mapBoth(Schema.decodeEither(StageStatesText)(text), {
      onLeft: (error) => {
        const [first] = ParseResult.ArrayFormatter.formatErrorSync(error)
        const where = first === undefined ? "" : ` (${[...first.path, first.message].join(": ")})`
        return `${given(text)} is not a table of states${where}`
      },
      onRight: byId
    })
}

const yesOrNo: Accepted<boolean> = {
  expected: "true or false",
  parse: (text) => Either.map(oneOf(["true", "false"], { anyCase: true }).parse(text), (word) => word === "true")
}

/** A glob without a slash matches no owner/name, unless `*` or `?` stands for it. */
const repository = /[/*?]/u

/** No login has blanks, or what JSON and globs are written with. */
const login = /^[^\s"*?{}[\]]+$/u

/** The settings of the project that is written to. */
export const projectSettings = {
  id: defineSetting({
    name: "ORCH_PLANE_PROJECT_ID",
    about: "The id of the project to write to.",
    accepts: matching(
      /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i,
      `a project's UUID, like "7a79f0a9-5278-49cd-9007-9a338f238f9c"`,
      (text) => text.toLowerCase()
    ),
    default: "7a79f0a9-5278-49cd-9007-9a338f238f9c"
  }),
  identifier: defineSetting({
    name: "ORCH_PLANE_PROJECT_IDENTIFIER",
    about: "What the keys of its work items begin with: ET in ET-2.",
    accepts: matching(/^[\p{L}\p{N}]{1,12}$/u, `1 to 12 letters or digits, like "ET"`, (text) => text.toUpperCase()),
    default: "ET"
  }),
  states: defineSetting({
    name: "ORCH_PLANE_STAGE_STATES",
    about:
      "The Plane state of each stage, as JSON: stage name to state id. A stage that is not listed changes no state; " +
      "its comment is sent all the same.",
    accepts: stageStates,
    default: Schema.encodeSync(StageStatesText)(defaultStageStates)
  })
}

const users = listOf("users' e-mail addresses or ids", "lea@example.org, jo@example.org", userName)

/** Users, of whose names upper and lower case do not differ. */
const people: Accepted<ReadonlyArray<string>> = {
  ...users,
  parse: (text) => Either.map(users.parse(text), (list) => list.map((one) => one.toLowerCase()))
}

/** The settings that say what starts a task besides a move. */
export const startSettings = {
  label: defineSetting<string | undefined>({
    name: "ORCH_START_LABEL",
    about: "The label that starts the task of a work item to which a person gives it. Upper and lower case differ.",
    accepts: matching(labelName, `a label's name as Plane shows it, like "agent"`),
    default: unset(undefined)
  }),
  assignee: defineSetting<string | undefined>({
    name: "ORCH_START_ASSIGNEE",
    about: "The user who starts the task of a work item by being assigned to it: the one that your agents stand for.",
    accepts: matching(
      userName,
      `a user's e-mail address or id, like "agent@example.org"`,
      (text) => text.toLowerCase()
    ),
    default: unset(undefined)
  })
}

/** What starts tasks of all projects that do not say it themselves. */
export const startConfig: Config.Config<StartMarks> = Config.all(startSettings)

/** Who is asked when a task waits for somebody, in projects that do not say it themselves. */
export const attentionSetting = defineSetting<ReadonlyArray<string>>({
  name: "ORCH_ATTENTION",
  about:
    "Who is asked when a task waits for somebody, one after the other: see docs/people.md. The first one is named first.",
  accepts: people,
  default: unset([])
})

/** The settings of the commands that people give in comments. */
export const commandSettings = {
  commands: defineSetting({
    name: "ORCH_COMMANDS",
    about: "The people whose comments that begin with a command, like /approve, are obeyed. Without any there are no " +
      "commands. None of them may be the user of an API token that an agent has.",
    accepts: people,
    default: unset([])
  })
}

/** The settings of the project's pull requests. */
export const pullRequestSettings = {
  branches: defineSetting({
    name: "ORCH_GITEA_BRANCHES",
    about:
      "The branches into which a pull request counts, besides the default branch of its repository. One into any other " +
      "branch moves no task.",
    accepts: globsOf("globs", "release/*, hotfix"),
    default: unset([])
  }),
  repositories: defineSetting({
    name: "ORCH_GITEA_REPOSITORIES",
    about: "The repositories whose pull requests count. Without any, all do whose webhook has the right secret.",
    accepts: globsOf("globs of owner/name", "acme/widgets, acme/app-*", repository),
    default: unset([])
  }),
  forks: defineSetting({
    name: "ORCH_GITEA_FORKS",
    about: "Whether pull requests of forks count. Everybody who may read a repository can open one.",
    accepts: yesOrNo,
    default: "false"
  }),
  reviewers: defineSetting({
    name: "ORCH_GITEA_REVIEWERS",
    about:
      "The people whose reviews count. Without any, those whose word counts in Gitea; or, if Gitea cannot be asked, " +
      "everybody but the author.",
    accepts: listOf("logins", "lea, jonas", login),
    default: unset([])
  }),
  requiredChecks: defineSetting({
    name: "ORCH_GITEA_REQUIRED_CHECKS",
    about:
      "The checks that must be green. Without any, those that the protection of the base branch demands; or, if there " +
      "are none or Gitea cannot be asked, all that were reported.",
    accepts: globsOf("globs", "ci/build, ci/test*"),
    default: unset([])
  }),
  ciUsers: defineSetting({
    name: "ORCH_GITEA_CI_USERS",
    about: "The users whose checks count. Without any, everybody's, because Gitea's own runners have names that vary.",
    accepts: listOf("logins", "drone, gitea-actions", login),
    default: unset([])
  }),
  // Versions differ: some count a warning as a success, newer ones as a failure. The default is the stricter one.
  warning: defineSetting({
    name: "ORCH_GITEA_WARNING",
    about: "What a check that ends in a warning counts as: success, failure or pending.",
    accepts: oneOf(["success", "failure", "pending"]),
    default: "failure"
  }),
  settle: defineSetting({
    name: "ORCH_GITEA_SETTLE",
    about:
      "How long nothing new must come of a commit's checks before they count as all there are, where no list of plain " +
      "names says which there are.",
    accepts: duration("1 second", "1 hour", "2 minutes"),
    default: "2 minutes"
  })
}

/** The rules for all projects that have none of their own. */
export const pullRequestConfig: Config.Config<PullRequestRules> = Config.all(pullRequestSettings)

/** The settings that are those of all projects, where a project does not say it itself. */
export const commonNames = {
  repositories: pullRequestSettings.repositories.definition.name,
  branches: pullRequestSettings.branches.definition.name,
  forks: pullRequestSettings.forks.definition.name,
  webhookSecret: "ORCH_PLANE_WEBHOOK_SECRET",
  giteaWebhookSecret: "ORCH_GITEA_WEBHOOK_SECRET",
  gitea: { url: "ORCH_GITEA_URL", token: "ORCH_GITEA_TOKEN" }
}

/** The project that the variables name. */
export const projectConfig: Config.Config<Project> = Config.map(
  Config.all({
    ...projectSettings,
    ...commandSettings,
    pullRequests: pullRequestConfig,
    start: startConfig,
    attention: attentionSetting
  }),
  ({ attention, commands, id, identifier, pullRequests, start, states }) => ({
    id,
    identifier,
    stages: states,
    pullRequests,
    start,
    attention,
    commands,
    pipeline: undefined,
    texts: defaultTexts,
    own: {},
    webhookSecret: undefined,
    gitea: undefined,
    names: {
      identifier: projectSettings.identifier.definition.name,
      id: projectSettings.id.definition.name,
      workspace: "ORCH_PLANE_WORKSPACE_SLUG",
      apiToken: "ORCH_PLANE_API_TOKEN",
      states: projectSettings.states.definition.name,
      ...commonNames
    }
  })
)
