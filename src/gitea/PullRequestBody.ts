import { draftPrefix } from "./Claims.js"

/**
 * The branch of a pull request, as a hook or an answer writes it; empty if it does not tell. The label is the branch
 * even when that is gone; the ref is "refs/pull/12/head" then, and always for a push to refs/for/… (AGit), whose label
 * is empty.
 */
export const branchOf = ({ label, ref }: { readonly label?: string | undefined; readonly ref: string }): string =>
  label ?? (ref.startsWith("refs/") ? "" : ref)

/** Whether it is a draft: by its own word, or where an old version has none, by its title. */
export const isDraft = ({ draft, title }: { readonly draft?: boolean | undefined; readonly title: string }): boolean =>
  draft ?? draftPrefix.test(title)
