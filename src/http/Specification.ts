import { isObject } from "../base/Issue.js"
import { examples } from "./Examples.js"
import { webhookOperations } from "./WebhookSpecification.js"

type Json = Readonly<Record<string, unknown>>

const reference = (schema: string) => `#/components/schemas/${schema}`

const name = "HttpApiDecodeError"
const isDecodeError = (value: unknown) => isObject(value) && value.$ref === reference(name)

// It and the schemas that only it refers to.
const unused = [name, "Issue", "PropertyKey"]

const isDecodeErrorResponse = (value: Json) =>
  isObject(value.content) &&
  Object.values(value.content).every((content) => isObject(content) && isDecodeError(content.schema))

const mapObject = (value: unknown, change: (member: Json, key: string) => unknown): Json =>
  Object.fromEntries(
    Object.entries(isObject(value) ? value : {}).map(([key, member]) => [
      key,
      isObject(member) ? change(member, key) : member
    ])
  )

/** Without the platform's body of a 400, unions that then are of one, and ids of schemas, which are not unique. */
const pruned = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.filter((member) => !isDecodeError(member)).map(pruned)
  if (!isObject(value)) return value
  const { anyOf, ...rest } = Object.fromEntries(
    Object.entries(value).filter(([key]) => key !== "$id").map(([key, member]) => [key, pruned(member)])
  )
  if (!Array.isArray(anyOf)) return rest
  const members: ReadonlyArray<unknown> = anyOf
  const [only] = members
  return members.length === 1 && isObject(only) ? { ...only, ...rest } : { ...rest, anyOf: members }
}

/** Puts examples into each of the contents: a single one is `example`, several have names. */
const withExamples = (body: Json, given: Json): Json => {
  const [example, ...more] = Object.values(given)
  const shown = more.length === 0 ? { example } : { examples: mapObject(given, (value) => ({ value })) }
  return { ...body, content: mapObject(body.content, (media) => ({ ...media, ...shown })) }
}

/** With the description of the answer's schema, which is ours, in the place of the platform's. */
const described = (response: Json): Json => {
  const [media] = Object.values(isObject(response.content) ? response.content : {})
  const schema = isObject(media) ? media.schema : undefined
  const description = isObject(schema) ? schema.description : undefined
  return typeof description === "string" ? { ...response, description } : response
}

const operationOf = (operation: Json): Json => {
  const { requests, responses } = examples[String(operation.operationId)] ?? { responses: {} }
  const { requestBody } = operation
  const declared = Object.entries(isObject(operation.responses) ? operation.responses : {})
  return {
    ...operation,
    ...(isObject(requestBody) && requests !== undefined ? { requestBody: withExamples(requestBody, requests) } : {}),
    responses: Object.fromEntries(declared.flatMap(([status, response]) => {
      const answer = pruned(response)
      if (!isObject(response) || isDecodeErrorResponse(response) || !isObject(answer)) return []
      const example = responses[Number(status)]
      return [[status, example === undefined ? described(answer) : withExamples(described(answer), { example })]]
    }))
  }
}

const eventTypes = {
  stage_changed: reference("StageChanged"),
  quality_gate_failed: reference("QualityGateFailed"),
  task_completed: reference("TaskCompleted"),
  question_asked: reference("QuestionAsked")
}

// The platform takes a union apart, and does not say what tells its members apart.
const eventSchema = {
  description: "What happened to a task",
  oneOf: Object.values(eventTypes).map(($ref) => ({ $ref })),
  discriminator: { propertyName: "type", mapping: eventTypes }
}

/** The OpenAPI operation of an endpoint that takes an event. */
export const withEvent = (operation: Json): Record<string, unknown> => ({
  ...operation,
  requestBody: { required: true, content: { "application/json": { schema: { $ref: reference("StageEvent") } } } }
})

/** The OpenAPI operation of an endpoint whose body may be left out: the platform would call it required. */
export const withOptionalBody = (operation: Json): Record<string, unknown> => ({
  ...operation,
  requestBody: isObject(operation.requestBody) ? { ...operation.requestBody, required: false } : undefined
})

/**
 * The OpenAPI document as it is shown: with examples, with the paths that take webhooks, with events that their `type`
 * tells apart, and without the platform's own body of a 400, which the platform adds to every endpoint. What is really
 * sent is a `Problem` (see `Edge`), at those endpoints that declare it.
 */
export const specification = ({ components, paths, tags, ...rest }: Json): Record<string, unknown> => {
  const { schemas, ...others } = isObject(components) ? components : {}
  const declared = Object.entries(isObject(schemas) ? schemas : {}).filter(([schema]) => !unused.includes(schema))
  const groups: ReadonlyArray<unknown> = Array.isArray(tags) ? tags : []
  return {
    ...rest,
    paths: { ...mapObject(paths, (path) => mapObject(path, operationOf)), ...webhookOperations },
    components: {
      ...others,
      schemas: {
        ...Object.fromEntries(declared.map(([schema, value]) => [schema, pruned(value)])),
        StageEvent: eventSchema
      }
    },
    tags: [
      ...groups,
      { name: "webhooks", description: "What Plane and Gitea send, signed. They need no token." }
    ]
  }
}
