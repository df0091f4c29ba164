import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import type { ParseResult } from "effect"
import { Effect, Schema } from "effect"
import { commentHtml } from "../src/domain/Comment.js"
import { defaultTexts } from "../src/domain/CommentTexts.js"
import type { StageEvent } from "../src/domain/StageEvent.js"
import { stageOf } from "../src/domain/StageEvent.js"
import { defaultStageStates } from "../src/domain/StageStates.js"

/**
 * What the pipeline is compared with: the direct way to write an event to Plane. Within the caller, one after the
 * other, it lists with `?search=` to find the work item, PATCHes the state, lists again, and POSTs the comment. It has
 * no outbox, no budget, and no memory of what was found.
 */
export interface DirectWay {
  readonly write: (
    event: StageEvent
  ) => Effect.Effect<void, HttpClientError.HttpClientError | ParseResult.ParseError>
}

const Listed = Schema.Struct({
  results: Schema.Array(Schema.Struct({ id: Schema.String, name: Schema.String, sequence_id: Schema.Int }))
})

export const make = (plane: {
  readonly url: string
  readonly token: string
  readonly workspace: string
  readonly project: { readonly id: string; readonly identifier: string }
}): Effect.Effect<DirectWay, never, HttpClient.HttpClient> =>
  Effect.map(HttpClient.HttpClient, (client) => {
    const items = `${plane.url}/api/v1/workspaces/${plane.workspace}/projects/${plane.project.id}/issues/`
    const send = (request: HttpClientRequest.HttpClientRequest) =>
      HttpClient.filterStatusOk(client).execute(HttpClientRequest.setHeader(request, "X-API-Key", plane.token))
    // The answer is read to its end, as any client would, so that the connection can be used again.
    const done = (request: HttpClientRequest.HttpClientRequest) =>
      Effect.asVoid(Effect.flatMap(send(request), (response) => response.text))

    const find = (key: string) =>
      Effect.map(
        Effect.flatMap(
          send(HttpClientRequest.get(items, { urlParams: { search: key } })),
          HttpClientResponse.schemaBodyJson(Listed)
        ),
        ({ results }) =>
          results.find(({ name, sequence_id }) =>
            `${plane.project.identifier}-${sequence_id}` === key || name.includes(key)
          )
      )

    const write: DirectWay["write"] = Effect.fnUntraced(function*(event) {
      const state = defaultStageStates.get(stageOf(event) ?? "")
      if (state !== undefined) {
        const item = yield* find(event.workItem)
        if (item === undefined) return
        yield* done(HttpClientRequest.patch(`${items}${item.id}/`).pipe(HttpClientRequest.bodyUnsafeJson({ state })))
      }
      const item = yield* find(event.workItem)
      if (item === undefined) return
      yield* done(
        HttpClientRequest.post(`${items}${item.id}/comments/`).pipe(
          HttpClientRequest.bodyUnsafeJson({ comment_html: commentHtml(defaultTexts, event) })
        )
      )
    })

    return { write }
  })
