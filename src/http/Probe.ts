import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import { Effect, Schema } from "effect"
import { PlaneSync } from "../sending/PlaneSync.js"
import { planeFields, planeView } from "../views/PlaneView.js"
import type { Api } from "./Api.js"
import { OperatorAuthorization } from "./Authorization.js"

const probe = HttpApiEndpoint.post("probe", "/probe").addSuccess(
  Schema.Array(Schema.Struct({ project: Schema.String, ...planeFields }))
)
  .annotate(OpenApi.Summary, "Ask Plane now whether it may be written to")
  .annotate(
    OpenApi.Description,
    "Answers when Plane has, or was given up. If Plane was closed and answers, sending goes on at once. " +
      "`plane-sync probe` does the same by the file."
  )

/** `/api/probe`. */
export const probeGroup = HttpApiGroup.make("probe").add(probe).middleware(OperatorAuthorization).prefix("/api")
  .annotate(OpenApi.Description, "Whether Plane may be written to, asked now.")

/** What answers it. */
export const probeHandlers = (api: typeof Api) =>
  HttpApiBuilder.group(
    api,
    "probe",
    (handlers) =>
      Effect.map(PlaneSync, ({ probe }) =>
        handlers.handle("probe", () =>
          Effect.map(probe, (projects) =>
            projects.map(({ destination, identifier }) => ({ project: identifier, ...planeView(destination) })))))
  )
