import type { CanonicalKey } from "../domain/WorkItemKey.js"
import type { PlaneConfig } from "./PlaneConfig.js"

/** The page where a person sees a work item. `config`: that of its project. */
export const itemPage = (
  { url, workspaceSlug }: Pick<PlaneConfig, "url" | "workspaceSlug">,
  key: CanonicalKey
): string => `${url}/${workspaceSlug}/browse/${key}/`
