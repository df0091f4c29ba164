import { Effect, Option, Schema } from "effect"
import type { ItemId, LinkId } from "../domain/Ids.js"
import type { Link } from "../domain/Link.js"
import type { Exchange } from "./Exchange.js"
import { aboutAnother } from "./Exchange.js"
import type { PathFamily } from "./PathFamily.js"
import type { PlaneError } from "./PlaneError.js"
import type { Slot } from "./RateBudget.js"
import * as Wire from "./Wire.js"
import { isSameId } from "./WorkItem.js"

/** The links of a work item. Plane changes who has made one, so that does not tell whose it is. */
export interface PlaneLinks {
  readonly addLink: (id: ItemId, link: Pick<Link, "title" | "url">, slot?: Slot) => Effect.Effect<LinkId, PlaneError>
  readonly findLink: (id: ItemId, url: string, slot?: Slot) => Effect.Effect<Option.Option<LinkId>, PlaneError>
  readonly removeLink: (id: ItemId, linkId: LinkId, slot?: Slot) => Effect.Effect<void, PlaneError>
}

const isTaken = "URL already exists for this Issue"

/** The work item has a link with this address, whoever has made it: Plane names none. */
export const meansLinkTaken = (error: PlaneError): boolean =>
  error.reason === "Refused" && Option.contains(error.status, 400) && error.words === isTaken

export const makeLinks = (
  exchange: Exchange,
  family: PathFamily,
  project: () => ReadonlyArray<string>
): PlaneLinks => ({
  addLink: Effect.fn("PlaneClient.addLink")((id: ItemId, { title, url }: Pick<Link, "title" | "url">, slot?: Slot) =>
    family.run(
      (name, slot) => {
        const ask = { method: "POST", path: [...project(), name, id, "links"], body: { url, title } } as const
        return Effect.filterOrFail(
          exchange.send(ask, Wire.LinkJson, slot),
          ({ issue }) => isSameId(issue ?? id, id),
          (made) => exchange.failure(ask, aboutAnother(made.id, "unknown"))
        )
      },
      slot
    ).pipe(Effect.map(({ id }) => id))
  ),
  findLink: Effect.fn("PlaneClient.findLink")((id: ItemId, url: string, slot?: Slot) =>
    family.send(
      Wire.LinksJson,
      (name) => ({
        method: "GET",
        path: [...project(), name, id, "links"],
        query: { fields: "id,url", per_page: "100" }
      }),
      slot
    ).pipe(Effect.map(({ results }) =>
      // Plane compares them by the exact text, so we do.
      Option.map(Option.fromNullable(results.find((each) => each.url === url)), (link) => link.id)
    ))
  ),
  removeLink: Effect.fn("PlaneClient.removeLink")((id: ItemId, linkId: LinkId, slot?: Slot) =>
    family.send(
      // A 204, which has no body.
      Schema.String,
      (name) => ({ method: "DELETE", path: [...project(), name, id, "links", linkId] }),
      slot
    ).pipe(
      Effect.asVoid,
      Effect.catchIf(({ reason }) => reason === "NotFound", () => Effect.void)
    )
  )
})
