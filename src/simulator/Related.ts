import * as Body from "./Body.js"
import type { Call } from "./Call.js"
import * as Model from "./Model.js"

/** The labels and assignees that a body names. A list replaces all that were there. */

const elements = <A>(
  name: string,
  raw: unknown,
  check: Body.Fields,
  find: (id: string) => A | undefined
): ReadonlyArray<A> | undefined => {
  if (raw === undefined) return undefined
  if (raw === null) return check.refuse(name, "This field may not be null.")
  if (!Array.isArray(raw)) {
    return check.refuse(name, `Expected a list of items but got type "${Body.pythonType(raw)}".`)
  }
  const found = new Set<A>()
  for (const each of raw) {
    const id = typeof each === "string" ? Body.uuid(each) : String(each)
    if (id === undefined) return check.refuseElement(name, `“${String(each)}” is not a valid UUID.`)
    const element = find(id)
    if (element === undefined) {
      return check.refuseElement(name, `Invalid pk "${String(each)}" - object does not exist.`)
    }
    found.add(element)
  }
  return [...found]
}

/** Labels of another project are dropped without a word. */
export const labels = (
  raw: unknown,
  check: Body.Fields,
  call: Call,
  project: Model.Project
): ReadonlyArray<Model.Label> | undefined => {
  const all = [...call.store.projects.values()]
  const find = (id: string) => all.flatMap((each) => each.labels.get(id) ?? []).at(0)
  return elements("labels", raw, check, find)?.filter((label) => project.labels.has(label.id))
}

/** Whether somebody in this role can have work items. */
export const isAssignable = (role: Model.ProjectRole | undefined): boolean => role === "member" || role === "admin"

/** Users who are no members of the project, or guests in it, are dropped without a word. */
export const assignees = (raw: unknown, check: Body.Fields, call: Call): ReadonlyArray<Model.User> | undefined =>
  elements("assignees", raw, check, (id) => Model.users.get(id))?.filter((user) => isAssignable(call.roleOf(user)))
