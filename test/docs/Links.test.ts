import { assert, describe, it } from "@effect/vitest"
import { fromMarkdown } from "mdast-util-from-markdown"
import { gfmFromMarkdown } from "mdast-util-gfm"
import { gfm } from "micromark-extension-gfm"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../../", import.meta.url))

interface Node {
  readonly type: string
  readonly depth?: number
  readonly url?: string
  readonly value?: string
  readonly children?: ReadonlyArray<Node>
}

const all = (node: Node): ReadonlyArray<Node> => [node, ...(node.children ?? []).flatMap(all)]

const read = new Map<string, ReadonlyArray<Node>>()

/** All parts of a page. Each page is read once, because that takes a while. */
const nodesOf = (path: string): ReadonlyArray<Node> => {
  const nodes = read.get(path) ?? all(
    fromMarkdown(readFileSync(path, "utf8"), { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] })
  )
  read.set(path, nodes)
  return nodes
}

const textOf = (node: Node): string => node.value ?? (node.children ?? []).map(textOf).join("")

/** The anchors that GitHub gives to the headings of a page. */
const anchorsOf = (path: string): ReadonlySet<string> => {
  const anchors = new Set<string>()
  for (const node of nodesOf(path)) {
    if (node.type !== "heading") continue
    const slug = textOf(node).toLowerCase().replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, "").replaceAll(" ", "-")
    let anchor = slug
    for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`
    anchors.add(anchor)
  }
  return anchors
}

const pages = [
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  ...readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`)
]

/** What is wrong with a link of a page. */
const problemOf = (page: string, url: string): string | undefined => {
  if (/^[a-z]+:/.test(url)) return undefined
  const [path = "", anchor] = url.split("#")
  const target = path === "" ? join(root, page) : join(dirname(join(root, page)), path)
  if (!existsSync(target)) return `${page}: ${url}: there is no ${relative(root, target)}`
  if (anchor === undefined || anchorsOf(target).has(anchor)) return undefined
  return `${page}: ${url}: no heading of ${relative(root, target)} is ${anchor}`
}

describe("the documents", () => {
  it("lead to files and headings that exist", () => {
    const links = pages.flatMap((page) =>
      nodesOf(join(root, page)).flatMap(({ url }) => url === undefined ? [] : [{ page, url }])
    )
    assert.isAbove(links.length, 60)
    assert.deepStrictEqual(links.flatMap(({ page, url }) => problemOf(page, url) ?? []), [])
  })

  it("are checked: a link to nothing is found", () => {
    assert.isDefined(problemOf("README.md", "docs/nothing.md"))
    assert.isDefined(problemOf("README.md", "docs/reliability.md#nothing"))
    assert.isDefined(problemOf("docs/http.md", "docs/reliability.md"))
    assert.isUndefined(problemOf("docs/http.md", "reliability.md#what-ok-means"))
  })

  it("name what they lead to as it is called from there", () => {
    // "[docs/setup.md](setup.md)" in docs/ is a text that was moved and not read again.
    const wrong = pages.filter((page) => page.startsWith("docs/")).flatMap((page) =>
      nodesOf(join(root, page)).flatMap((node) =>
        node.type === "link" && textOf(node).startsWith("docs/") && !(node.url ?? "").startsWith("..")
          ? [`${page}: ${textOf(node)}`]
          : []
      )
    )
    assert.deepStrictEqual(wrong, [])
  })
})
