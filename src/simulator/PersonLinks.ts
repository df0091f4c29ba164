import * as Effect from "effect/Effect"
import { randomUUID } from "node:crypto"
import type * as Model from "./Model.js"
import { owner } from "./Model.js"
import type { PlaneMicros } from "./Moment.js"
import { SimulatorError } from "./Options.js"
import type { Store } from "./Store.js"

/** A link of a work item. */
export interface SimulatedLink {
  readonly id: string
  readonly url: string
  readonly title: string | null
}

/** What a person does with links in Plane's page. */
export interface PersonLinks {
  readonly links: (id: string) => Effect.Effect<ReadonlyArray<SimulatedLink>, SimulatorError>
  readonly addPersonLink: (id: string, url: string) => Effect.Effect<SimulatedLink, SimulatorError>
  readonly deleteLink: (linkId: string) => Effect.Effect<void, SimulatorError>
}

const seen = ({ id, title, url }: Model.Link): SimulatedLink => ({ id, url, title })

export const makePersonLinks = (
  store: Pick<Store, "projects">,
  { itemOf, moment }: {
    readonly itemOf: (id: string) => Effect.Effect<Model.WorkItem, SimulatorError>
    readonly moment: Effect.Effect<PlaneMicros>
  }
): PersonLinks => {
  const all = () => [...store.projects.values()].flatMap(({ links }) => [...links.values()])
  return {
    links: (id) => Effect.map(itemOf(id), (item) => all().filter((link) => link.item === item).map(seen)),
    addPersonLink: (id, url) =>
      Effect.gen(function*() {
        const item = yield* itemOf(id)
        const at = yield* moment
        const link: Model.Link = {
          id: randomUUID(),
          project: item.project,
          item,
          url,
          title: null,
          metadata: {},
          createdBy: owner,
          updatedBy: owner,
          createdAt: at,
          updatedAt: at
        }
        item.project.links.set(link.id, link)
        return seen(link)
      }),
    deleteLink: (linkId) =>
      Effect.suspend(() => {
        const link = all().find(({ id }) => id === linkId)
        if (link === undefined) {
          return new SimulatorError({ reason: "Unknown", detail: `there is no link ${linkId}` })
        }
        link.project.links.delete(linkId)
        return Effect.void
      })
  }
}
