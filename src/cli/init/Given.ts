import * as NodeStream from "@effect/platform-node/NodeStream"
import type { Redacted } from "effect"
import { Config, Data, Effect, Either, Option } from "effect"
import { accessSettings } from "../../plane/PlaneConfig.js"
import type { Access } from "../../plane/Survey.js"
import { wrongUse } from "../WrongUse.js"
import { readAddress, readWorkspace } from "./PastedAddress.js"
import { readSecret } from "./PastedSecret.js"
import type { Known } from "./Reach.js"

/** What the options of `init` say. */
export interface Options {
  readonly url: Option.Option<string>
  readonly workspace: Option.Option<string>
  readonly tokenStdin: boolean
}

/** What is known before a person is asked. */
export interface Given {
  /** What the options say, and the API token: that is not asked for. */
  readonly known: Known
  /** The same with what the variables say: what a person may just confirm. */
  readonly usual: Known
}

export class NoInput extends Data.TaggedError("NoInput")<{ readonly message: string }> {}

// No token is a tenth as long.
const mostInput = 64 * 1024

const input = NodeStream.toString(() => process.stdin, {
  maxBytes: mostInput,
  onFailure: (error) => new NoInput({ message: `standard input cannot be read (${String(error)})` })
})

const names = {
  url: accessSettings.url.definition.name,
  workspace: accessSettings.workspaceSlug.definition.name,
  apiToken: accessSettings.apiToken.definition.name
}

const variable = (name: string) =>
  Effect.map(Config.withDefault(Config.string(name), ""), (text) => text.trim() === "" ? undefined : text.trim())

const secret = (from: string, text: string): Effect.Effect<Redacted.Redacted, NoInput> =>
  Either.mapLeft(readSecret(text), (problem) => new NoInput({ message: `the API token of ${from}: ${problem}` }))

const apiToken = (fromInput: boolean) =>
  Effect.gen(function*() {
    if (fromInput) {
      if (process.stdin.isTTY) {
        return yield* wrongUse("init --token-stdin: standard input is a terminal; without the option you are asked")
      }
      return yield* secret("standard input", yield* input)
    }
    const text = yield* variable(names.apiToken)
    return text === undefined ? undefined : yield* secret(names.apiToken, text)
  })

/** What options, variables and standard input say. */
export const givenBy = ({ tokenStdin, url, workspace }: Options) =>
  Effect.gen(function*() {
    const pasted = Option.isNone(url) ? undefined : readAddress(url.value)
    if (pasted !== undefined && Either.isLeft(pasted)) return yield* wrongUse(`init --url: ${pasted.left}`)
    const named = Option.isNone(workspace) ? undefined : readWorkspace(workspace.value)
    if (named !== undefined && Either.isLeft(named)) return yield* wrongUse(`init --workspace: ${named.left}`)
    const known: Known = {
      url: pasted?.right.url,
      workspace: named?.right ?? pasted?.right.workspace,
      apiToken: yield* apiToken(tokenStdin)
    }
    const given: Given = {
      known,
      usual: {
        url: known.url ?? (yield* variable(names.url)),
        workspace: known.workspace ?? (yield* variable(names.workspace)),
        apiToken: known.apiToken
      }
    }
    return given
  })

/** All of it, where nobody can be asked; else wrong use that says what is missing. */
export const complete = ({ usual: { apiToken, url, workspace } }: Given) => {
  const missing = [
    ...url === undefined ? [`--url or ${names.url}`] : [],
    ...workspace === undefined ? [`--workspace or ${names.workspace}`] : [],
    ...apiToken === undefined ? [`--token-stdin or ${names.apiToken}`] : []
  ]
  return url === undefined || workspace === undefined || apiToken === undefined
    ? wrongUse(`init: nobody can be asked without a terminal: give ${missing.join(", and ")}`)
    : Effect.succeed<Access>({ url, workspace, apiToken })
}
