import type { Redacted } from "effect"
import { Array as Arr, Config, ConfigError, Duration, Effect, Either, Layer, ParseResult, Record, Schema } from "effect"
import { readFileSync } from "node:fs"
import { issuesOf } from "../base/Issue.js"
import type { Accepted } from "../base/Setting.js"
import { anySecret, defineSetting, matching, token, unset } from "../base/Setting.js"
import { defaultTexts } from "../domain/CommentTexts.js"
import type { Project } from "../domain/Project.js"
import { Projects, projectsOf } from "../domain/Projects.js"
import {
  attentionSetting,
  commandSettings,
  commonNames,
  projectConfig,
  projectSettings,
  pullRequestConfig,
  pullRequestSettings,
  startConfig,
  startSettings
} from "../domain/ProjectSettings.js"
import { accessSettings, sendingSettings } from "../plane/PlaneConfig.js"
import { forgeErrors } from "./OwnForges.js"
import type { ProjectText } from "./ProjectsFile.js"
import { ProjectsFile } from "./ProjectsFile.js"
import { twiceIn } from "./TwiceInJson.js"
import { isInPipeline, pipelineOf, stagesOf } from "./WrittenStages.js"

/** The file of the projects. */
export const configFile = defineSetting({
  name: "ORCH_CONFIG",
  about:
    "The file that says which projects there are, by their identifiers, and how each is treated. Without one there is " +
    "the project of ORCH_PLANE_PROJECT_IDENTIFIER. It is read at the start.",
  accepts: matching(/\S/u, `the path of a file, like "plane-sync.json"`),
  default: unset("")
})

type Read<A> = Effect.Effect<A, ConfigError.ConfigError>

const wrong = (file: string, field: string, message: string) =>
  ConfigError.InvalidData([field === "body" ? file : `${file}: ${field}`], message)

const all = (errors: ReadonlyArray<ConfigError.ConfigError>): Either.Either<void, ConfigError.ConfigError> => {
  const [first, ...others] = errors
  return first === undefined ? Either.void : Either.left(others.reduce(ConfigError.And, first))
}

const textOf = (file: string): Read<string> =>
  Effect.try({
    try: () => readFileSync(file, "utf8"),
    catch: (error) =>
      ConfigError.InvalidData(
        [configFile.definition.name],
        `${file} cannot be read (${error instanceof Error ? error.message : String(error)}): expected a file`
      )
  })

const decode = (file: string, text: string): Either.Either<ProjectsFile, ConfigError.ConfigError> =>
  Either.try({
    try: (): unknown => JSON.parse(text),
    catch: (error) => wrong(file, "body", `it is no JSON (${error instanceof Error ? error.message : String(error)})`)
  }).pipe(
    Either.filterOrLeft(
      () => twiceIn(text) === undefined,
      () => wrong(file, twiceIn(text) ?? "body", "it is there twice: expected it once")
    ),
    Either.flatMap((json) =>
      Either.mapLeft(
        Schema.decodeUnknownEither(ProjectsFile, { errors: "all", onExcessProperty: "error" })(json),
        (error) =>
          issuesOf(ParseResult.ArrayFormatter.formatErrorSync(error))
            .map(({ field, message }) => wrong(file, field, message))
            .reduce(ConfigError.And)
      )
    )
  )

/** The value of a variable that the file names, as settings are read. */
const secretOf = (
  file: string,
  field: string,
  name: string | undefined,
  { expected, parse }: Accepted<Redacted.Redacted>
): Read<Redacted.Redacted | undefined> =>
  name === undefined ? Effect.sync(() => undefined) : Effect.gen(function*() {
    const text = (yield* Config.withDefault(Config.string(name), "")).trim()
    if (text === "") {
      return yield* Effect.fail(
        wrong(file, field, `it names the variable ${name}, which is not set: expected one that is`)
      )
    }
    return yield* Either.mapLeft(
      parse(text),
      (problem) =>
        wrong(file, field, `the variable ${name}, which it names, is wrong: ${problem}: expected ${expected}`)
    )
  })

const isIdentifier = (text: string) => /^[\p{L}\p{N}]{1,12}$/u.test(text) && text === text.toUpperCase()

/** What no schema can tell to be wrong. */
const contradictions = (file: string, identifier: string, text: ProjectText) => {
  const at = (field: string, message: string) => wrong(file, `projects.${identifier}.${field}`, message)
  if (!isIdentifier(identifier)) {
    const expected = `expected an identifier as Plane shows it: 1 to 12 capital letters or digits, like "ET"`
    return [wrong(file, `projects.${identifier}`, expected)]
  }
  const { pipeline, stages = {} } = text
  const twice = (pipeline ?? []).filter(({ stage, state }) => state !== undefined && stage in stages)
  const unknown = pipeline === undefined ?
    [] :
    Object.keys(stages).filter((name) => pipeline.every(({ stage }) => stage !== name))
  const names = (pipeline ?? []).map(({ stage }) => stage)
  const repeated = new Set(names.filter((stage, index) => names.indexOf(stage) !== index))
  return [
    ...(pipeline !== undefined && pipeline.length < 2
      ? [at("pipeline", "it has fewer than two stages, so nothing could ever be done: expected at least two")]
      : []),
    ...Array.from(
      repeated,
      (stage) => at("pipeline", `the stage ${JSON.stringify(stage)} is there twice: expected it once`)
    ),
    ...twice.map(({ stage }) => at(`stages.${stage}`, "its state is in the pipeline, too: expected it in one place")),
    ...unknown.map((stage) =>
      at(`stages.${stage}`, `the pipeline has no such stage: expected one of ${names.join(", ")}`)
    )
  ]
}

const projectOf = (file: string, workspace: string | undefined, identifier: string, text: ProjectText): Read<Project> =>
  Effect.gen(function*() {
    yield* all(contradictions(file, identifier, text))
    const place = `projects.${identifier}`
    const secret = (field: string, name: string | undefined, accepts = anySecret) =>
      secretOf(file, `${place}.${field}`, name, accepts)
    const { gitea } = text
    const apiToken = yield* secret("apiToken", text.apiToken, token("the token as Plane shows it"))
    const giteaToken = yield* secret("gitea.token", gitea?.token, token("the token as Gitea shows it"))
    const rules = yield* pullRequestConfig
    const start = yield* startConfig
    const commands = yield* commandSettings.commands
    const slug = text.workspace ?? workspace
    return {
      identifier,
      id: text.id?.toLowerCase(),
      stages: stagesOf(text),
      pipeline: pipelineOf(text),
      texts: { ...defaultTexts, ...text.texts },
      pullRequests: {
        branches: text.branches ?? rules.branches,
        repositories: text.repositories ?? rules.repositories,
        forks: text.forks ?? rules.forks,
        reviewers: text.reviewers ?? rules.reviewers,
        requiredChecks: text.requiredChecks ?? rules.requiredChecks,
        ciUsers: text.ciUsers ?? rules.ciUsers,
        warning: text.warning ?? rules.warning,
        settle: text.settle === undefined ? rules.settle : yield* settleOf(file, `${place}.settle`, text.settle)
      },
      start: {
        label: text.start?.label ?? start.label,
        assignee: text.start?.assignee?.toLowerCase() ?? start.assignee
      },
      commands: text.commands?.map((name) => name.toLowerCase()) ?? commands,
      attention: text.attention?.map((one) => one.toLowerCase()) ?? (yield* attentionSetting),
      own: {
        ...(slug === undefined ? {} : { workspaceSlug: slug }),
        ...(apiToken === undefined ? {} : { apiToken }),
        ...(text.comments === undefined ? {} : { comments: text.comments }),
        ...(text.onConflict === undefined ? {} : { onConflict: text.onConflict })
      },
      webhookSecret: yield* secret("webhookSecret", text.webhookSecret),
      gitea: gitea && {
        url: gitea.url.replace(/\/+$/, "").replace(/\/api(\/v1)?$/, ""),
        token: giteaToken,
        webhookSecret: yield* secret("gitea.webhookSecret", gitea.webhookSecret)
      },
      names: {
        identifier: `${place} in ${file}`,
        id: text.id === undefined ? undefined : `${place}.id in ${file}`,
        workspace: text.workspace !== undefined
          ? `${place}.workspace in ${file}`
          : workspace !== undefined
          ? `workspace in ${file}`
          : accessSettings.workspaceSlug.definition.name,
        apiToken: text.apiToken ?? accessSettings.apiToken.definition.name,
        states: `${place}.${isInPipeline(text) ? "pipeline" : "stages"} in ${file}`,
        ...commonNames,
        ...Record.map(
          Record.filter({ repositories: text.repositories, branches: text.branches, forks: text.forks }, isSet),
          (_, field) => `${place}.${field} in ${file}`
        ),
        ...(text.webhookSecret === undefined ? {} : { webhookSecret: text.webhookSecret }),
        ...(gitea === undefined ? {} : {
          giteaWebhookSecret: gitea.webhookSecret ?? `${place}.gitea.webhookSecret in ${file}`,
          gitea: {
            url: `${place}.gitea.url in ${file}`,
            token: gitea.token ?? `${place}.gitea.token in ${file}`
          }
        })
      }
    }
  })

const isSet = (value: unknown) => value !== undefined

const settleOf = (file: string, field: string, text: string): Read<Duration.Duration> =>
  Either.filterOrLeft(
    Either.fromOption(Duration.decodeUnknown(text), () => wrong(file, field, `${text} is no duration`)),
    Duration.between({ minimum: "1 second", maximum: "1 hour" }),
    () => wrong(file, field, `${text} is out of range: expected 1 second to 1 hour, like "2 minutes"`)
  )

/** The variables that are for all projects, by the field of a project that says the same. */
const forAllProjects: Readonly<Record<string, string>> = {
  ...Record.map(pullRequestSettings, ({ definition }) => definition.name),
  ...Record.map(commandSettings, ({ definition }) => definition.name),
  comments: sendingSettings.comments.definition.name,
  onConflict: sendingSettings.onConflict.definition.name
}

/** The variables that say what the file says, if both are set. */
const saidTwice = (file: string, { projects, workspace }: ProjectsFile): Read<void> =>
  Effect.gen(function*() {
    const doubles: ReadonlyArray<readonly [string, string]> = [
      ...Object.values(projectSettings).map(({ definition }) => [definition.name, "projects"] as const),
      ...(workspace === undefined ? [] : [[accessSettings.workspaceSlug.definition.name, "workspace"] as const]),
      ...Object.entries(projects).flatMap(([identifier, { start = {} }]) =>
        Object.entries(startSettings).flatMap(([field, { definition: { name } }]) =>
          field in start ? [[name, `projects.${identifier}.start.${field}`] as const] : []
        )
      ),
      ...Object.entries(projects).flatMap(([identifier, project]) =>
        Object.entries(forAllProjects).flatMap(([field, name]) =>
          field in project ? [[name, `projects.${identifier}.${field}`] as const] : []
        )
      )
    ]
    const errors: Array<ConfigError.ConfigError> = []
    for (const [name, field] of doubles) {
      const set = yield* Config.withDefault(Config.string(name), "")
      if (set.trim() === "") continue
      errors.push(ConfigError.InvalidData([name], `${file} says ${field}, too: expected it in one place`))
    }
    yield* all(errors)
  })

const fromFile = (file: string): Read<Projects["Type"]> =>
  Effect.gen(function*() {
    const read = yield* Effect.flatMap(textOf(file), (text) => decode(file, text))
    yield* saidTwice(file, read)
    const projects = yield* Effect.forEach(
      Object.entries(read.projects),
      ([identifier, text]) => projectOf(file, read.workspace, identifier, text)
    )
    if (!Arr.isNonEmptyReadonlyArray(projects)) {
      return yield* Effect.fail(wrong(file, "projects", "it names no project: expected at least one, like \"ET\""))
    }
    yield* all(yield* forgeErrors(file, projects))
    return projectsOf(projects)
  })

/** The variables that the file names, because they hold what is secret of a project. */
export const namedVariables: Read<ReadonlySet<string>> = Effect.gen(function*() {
  const file = yield* configFile
  if (file === "") return new Set()
  const { projects } = yield* Effect.flatMap(textOf(file), (text) => decode(file, text))
  const names = Object.values(projects).flatMap(({ apiToken, gitea, webhookSecret }) => [
    apiToken,
    webhookSecret,
    gitea?.token,
    gitea?.webhookSecret
  ])
  return new Set(names.filter((name) => name !== undefined))
})

/** The projects that are written to: those of the file, or the one that the variables name. */
export const projectsConfig: Read<Projects["Type"]> = Effect.flatMap(
  configFile,
  (file) => file === "" ? Effect.map(projectConfig, (project) => projectsOf([project])) : fromFile(file)
)

/** The same for every room that needs them. */
export const projectsLayer: Layer.Layer<Projects, ConfigError.ConfigError> = Layer.effect(Projects, projectsConfig)
