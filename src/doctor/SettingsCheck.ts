import { Config, Effect, Either, Layer, Redacted } from "effect"
import { wrongSettings } from "../base/WrongSettings.js"
import { allSettings } from "../config/AllSettings.js"
import { checkedSettings } from "../config/CheckedSettings.js"
import { configFile, namedVariables, projectsConfig, projectsLayer } from "../config/ProjectsConfig.js"
import { unknownVariableLine, unknownVariables } from "../config/UnknownVariables.js"
import type { Project } from "../domain/Project.js"
import { giteaGateNames } from "../gitea/GiteaGates.js"
import { Pipeline } from "../tasks/Pipeline.js"
import { human, reported, started } from "../tasks/QualityGate.js"
import { requireGates } from "../tasks/RequireGates.js"
import type { Finding, Outcome } from "./Finding.js"
import { Failed, found, Passed, Warned } from "./Finding.js"

/** Whether a setting has its value from a file `.env`, and not from the environment. */
export type IsOfDotEnv<R> = (name: string) => Effect.Effect<boolean, never, R>

const raw = (name: string) => Effect.orElseSucceed(Config.string(name), () => "")

/** What is around a secret that does not belong to it. */
const around = (secret: string): "quotes" | "blanks" | undefined => {
  const text = secret.trim()
  if (/^(["'`]).*\1$/su.test(text) || /^["'“‘]|["'”’]$/u.test(text)) return "quotes"
  return text === secret ? undefined : "blanks"
}

const inQuotes = (name: string, where: string): Finding =>
  Failed({ seen: `${name} still has its quotes`, mend: `write its value in ${where} without quotes` })

/** The secrets that the file of the projects names, each by its place there. */
const secretsOf = ({ gitea, names, own, webhookSecret }: Project): ReadonlyArray<readonly [string, string]> => {
  const named = [
    ["apiToken", own.apiToken],
    ["webhookSecret", webhookSecret],
    ["gitea.token", gitea?.token],
    ["gitea.webhookSecret", gitea?.webhookSecret]
  ] as const
  return named.flatMap(([field, secret]) =>
    secret === undefined ? [] : [[names.identifier.replace(" in ", `.${field} in `), Redacted.value(secret)]]
  )
}

const untidyInFile = Effect.map(
  Effect.either(projectsConfig),
  Either.match({
    onLeft: () => [],
    onRight: ({ all }) =>
      all.flatMap(secretsOf).flatMap(([place, secret]): ReadonlyArray<Finding> => {
        switch (around(secret)) {
          case "quotes":
            return [inQuotes(`the variable that ${place} names`, "the environment, or in .env,")]
          case "blanks":
            return [Failed({
              seen: `the variable that ${place} names has blanks around its value`,
              mend: "write it without them"
            })]
          default:
            return []
        }
      })
  })
)

const serveGates = [started.name, reported.name, human.name, ...giteaGateNames]

/** A pipeline that cannot be one, or that names a gate which only a host can have. */
const wrongPipeline = Effect.flatMap(Pipeline, (pipeline) =>
  Effect.match(requireGates(pipeline, serveGates), {
    onFailure: ({ message }): ReadonlyArray<Finding> => [Warned({
      seen: `${message}. So serve does not start`,
      mend: "name one of these, or provide the gate in a program of your own"
    })],
    onSuccess: () => []
  })).pipe(
    Effect.provide(Layer.provide(Pipeline.layerProjects(), projectsLayer)),
    Effect.catchAll(({ message }) => Effect.succeed([Failed({ seen: message, mend: "set it right there" })]))
  )

/** All settings: where each has its value from, and all that are wrong, at once. No secret is shown. */
export const checkSettings = <R>(
  isOfDotEnv: IsOfDotEnv<R>,
  variableNames: Effect.Effect<ReadonlyArray<string>, never, R>
): Effect.Effect<Outcome<never>, never, R> =>
  Effect.gen(function*() {
    const placeOf = (name: string) => Effect.map(isOfDotEnv(name), (is) => is ? ".env" : "the environment")
    const known = new Set(allSettings.map(({ definition }) => definition.name))

    const wrong = Either.match(yield* Effect.either(checkedSettings), {
      onLeft: wrongSettings,
      onRight: () => []
    })
    const findings: Array<Finding> = []
    for (const { message, name } of wrong) {
      findings.push(Failed({
        seen: `${name}: ${message}`,
        mend: known.has(name) ? `set ${name} right in ${yield* placeOf(name)}` : "set it right there"
      }))
    }

    const set = new Map<string, Array<string>>()
    for (const { definition: { name, secret } } of allSettings) {
      const value = yield* raw(name)
      if (value.trim() === "") continue
      const place = yield* placeOf(name)
      set.set(place, [...(set.get(place) ?? []), name])
      if (!secret) continue
      const what = around(value)
      if (what === "quotes") findings.push(inQuotes(name, place))
      if (what === "blanks") {
        findings.push(Warned({
          seen: `${name} has blanks around its value, which are left out`,
          mend: `write it in ${place} without them`
        }))
      }
    }
    findings.push(...(yield* untidyInFile))
    const named = yield* Effect.orElseSucceed(namedVariables, () => new Set<string>())
    for (const unknown of unknownVariables(yield* variableNames, named)) {
      findings.push(Warned({ seen: unknownVariableLine(unknown), mend: "correct its name, or remove it" }))
    }
    if (wrong.length === 0) findings.push(...(yield* wrongPipeline))
    if (findings.length > 0) return found(...findings)

    const file = yield* Effect.orElseSucceed(configFile, () => "")
    return found(Passed({
      seen: [
        ...Array.from(set, ([place, names]) => `${names.join(", ")} of ${place}`),
        ...(file === "" ? [] : [`the projects of ${file}`]),
        set.size === 0 ? "none is set: all have their defaults" : "all others have their defaults"
      ].join("; ")
    }))
  })
