import { Schema } from "effect"

/** One step of a Dockerfile: `COPY --from=build /app/dist dist` has the flag `from` and the rest `/app/dist dist`. */
export interface Step {
  readonly keyword: string
  readonly flags: Readonly<Record<string, string>>
  readonly rest: string
}

/** What stands below a `FROM`. */
export interface Stage {
  readonly image: string
  /** Of the last one: empty. */
  readonly name: string
  readonly steps: ReadonlyArray<Step>
}

/** The keywords that this project's Dockerfile may use. A new one has to be taught to all who read it. */
const keywords = [
  "FROM",
  "WORKDIR",
  "COPY",
  "RUN",
  "ENV",
  "USER",
  "VOLUME",
  "EXPOSE",
  "HEALTHCHECK",
  "ENTRYPOINT",
  "CMD"
]

const stepOf = (line: string): Step => {
  const [, keyword = "", given = "", rest = ""] = /^(\w+)((?: +--\S+)*) +(.*)$/.exec(line) ?? []
  if (!keywords.includes(keyword)) {
    throw new Error(
      `the Dockerfile has ${JSON.stringify(line)}: expected a line that begins with ${keywords.join(", ")}`
    )
  }
  const flags = Array.from(given.matchAll(/--([\w-]+)=(\S+)/g), ([, name = "", value = ""]) => [name, value] as const)
  return { keyword, flags: Object.fromEntries(flags), rest: rest.trim() }
}

/** The stages of a Dockerfile, in order. It throws for what it does not know. */
export const stagesOf = (dockerfile: string): ReadonlyArray<Stage> => {
  const lines = dockerfile
    .split("\n").filter((line) => !/^\s*#/.test(line)).join("\n")
    .replace(/\\\n\s*/g, " ")
    .split("\n").filter((line) => line.trim() !== "")
  const stages: Array<{ image: string; name: string; steps: Array<Step> }> = []
  for (const line of lines) {
    const step = stepOf(line)
    if (step.keyword === "FROM") {
      const [image = "", , name = ""] = step.rest.split(/ +/)
      stages.push({ image, name, steps: [] })
    } else {
      const stage = stages.at(-1)
      if (stage === undefined) throw new Error(`the Dockerfile begins with ${JSON.stringify(line)}: expected FROM`)
      stage.steps.push(step)
    }
  }
  return stages
}

/** Of a step that is written as a list: `CMD ["serve"]`. */
export const listOf = Schema.decodeSync(Schema.parseJson(Schema.Array(Schema.String)))

/** The one step of a stage with this keyword. */
export const stepIn = ({ steps }: Stage, keyword: string): Step => {
  const [step, ...more] = steps.filter((each) => each.keyword === keyword)
  if (step === undefined || more.length > 0) {
    throw new Error(`expected ${keyword} once, and it stands ${more.length} times`)
  }
  return step
}

/** What `ENV` sets in a stage. */
export const environmentOf = ({ steps }: Stage): Readonly<Record<string, string>> =>
  Object.fromEntries(
    steps.filter(({ keyword }) => keyword === "ENV").flatMap(({ rest }) =>
      Array.from(rest.matchAll(/(\w+)=(\S+)/g), ([, name = "", value = ""]) => [name, value] as const)
    )
  )

/** What the health check runs, and after how many milliseconds it is ended. */
export const healthCheckOf = (stage: Stage) => {
  const { flags, rest } = stepIn(stage, "HEALTHCHECK")
  return { command: listOf(rest.replace(/^CMD /, "")), timeout: Number(flags["timeout"]?.replace(/s$/, "")) * 1000 }
}

/** Whether a `.dockerignore` lets a file into the build. Only lists that forbid all but some names are read. */
export const permittedBy = (dockerignore: string) => {
  const [first, ...names] = dockerignore.split("\n").filter((line) => line !== "" && !line.startsWith("#"))
  const wrong = [first === "*" ? "!*" : first ?? "", ...names].find((line) => !line.startsWith("!"))
  if (wrong !== undefined) throw new Error(`.dockerignore has ${JSON.stringify(wrong)}: expected *, and then !name`)
  const permitted = names.map((line) => line.slice(1))
  return {
    names: permitted,
    has: (path: string) => permitted.some((name) => path === name || path.startsWith(`${name}/`))
  }
}
