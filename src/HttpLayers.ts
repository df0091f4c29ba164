/**
 * The HTTP interface, for hosts that mount it in a server of their own, and for clients that are written with Effect.
 *
 * @module
 */
export { Api } from "./http/Api.js"
export { HttpInterface } from "./http/HttpInterface.js"
export {
  BadRequest,
  Conflict,
  Forbidden,
  NotFound,
  NotJson,
  TooLarge,
  Unauthorized,
  Unavailable
} from "./http/Problem.js"
