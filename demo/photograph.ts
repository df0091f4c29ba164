import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as FileSystem from "@effect/platform/FileSystem"
import { Console, Data, Effect, Layer, Logger } from "effect"
import { fileURLToPath } from "node:url"
import type { Browser } from "playwright-core"
import { chromium } from "playwright-core"
import { PlaneSimulator } from "../src/simulator/PlaneSimulator.js"
import { chromium as installed, chromiumOptions } from "../test/support/Chromium.js"
import { planeOptions } from "./Projects.js"
import { makeTrouble } from "./Scene.js"
import * as Service from "./Service.js"

/**
 * Takes the pictures of the page that the README and docs/page.md show: of the demo's service, with Plane's key
 * refused, a build red and a question open.
 */

class NotTaken extends Data.TaggedError("NotTaken")<{ readonly message: string }> {}

const root = fileURLToPath(new URL("../", import.meta.url))

/** A picture of the README is below this, so that it loads quickly. */
const mostBytes = 200_000

const pictures = [
  { name: "page-light", width: 1280, height: 860, colorScheme: "light" },
  { name: "page-dark", width: 1280, height: 860, colorScheme: "dark" },
  { name: "page-narrow", width: 400, height: 860, colorScheme: "light" }
] as const

// The page asks for the system's font, which on a machine without a desktop is none to look at.
const fonts = `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
  <include>/etc/fonts/fonts.conf</include>
  <match target="pattern">
    <test qual="all" name="family" compare="not_contains"><string>mono</string></test>
    <edit name="family" mode="prepend" binding="strong"><string>Inter</string></edit>
  </match>
</fontconfig>`

const started = Effect.gen(function*() {
  const executablePath = installed
  if (executablePath === undefined) {
    return yield* new NotTaken({ message: "This machine has no Chromium: install it, or set CHROMIUM" })
  }
  const files = yield* FileSystem.FileSystem
  const folder = yield* files.makeTempDirectoryScoped({ prefix: "plane-sync-photos-" })
  yield* files.writeFileString(`${folder}/fonts.conf`, fonts)
  const env = { ...process.env, FONTCONFIG_FILE: `${folder}/fonts.conf` }
  return yield* Effect.acquireRelease(
    Effect.promise(() => chromium.launch({ executablePath, args: [...chromiumOptions], env })),
    (browser) => Effect.promise(() => browser.close())
  )
})

const opened = (browser: Browser, url: string) =>
  Effect.forEach(pictures, ({ colorScheme, height, name, width }) =>
    Effect.promise(async () => {
      const viewport = { width, height }
      const page = await browser.newPage({ viewport, colorScheme, reducedMotion: "reduce", deviceScaleFactor: 1 })
      await page.goto(`${url}/`)
      return { name, page }
    }), { concurrency: "unbounded" })

/** What the page must say before a picture of it is taken. */
const said = ["closed", "Question", "Red build"]

const photograph = Effect.gen(function*() {
  const files = yield* FileSystem.FileSystem
  const baseUrl = yield* Service.address
  yield* makeTrouble(baseUrl)
  const pages = yield* opened(yield* started, baseUrl)
  for (const { name, page } of pages) {
    yield* Effect.tryPromise({
      try: () => Promise.all(said.map((words) => page.getByText(words).first().waitFor({ timeout: 60_000 }))),
      catch: (cause) => new NotTaken({ message: `The page has not said all of ${said.join(", ")}: ${String(cause)}` })
    })
    const picture = yield* Effect.promise(() => page.screenshot())
    if (picture.length > mostBytes) {
      return yield* new NotTaken({ message: `${name}.png has ${picture.length} bytes: expected ${mostBytes} at most` })
    }
    yield* files.writeFile(`${root}docs/${name}.png`, picture)
    yield* Console.log(`Taken: docs/${name}.png, ${Math.round(picture.length / 1000)} kB`)
  }
})

const withService = Effect.flatMap(
  Service.makeDirectory,
  (directory) => Effect.provide(photograph, Service.layer({ directory, logger: Logger.none }))
)

withService.pipe(
  Effect.scoped,
  Effect.provide(Layer.mergeAll(PlaneSimulator.layer(planeOptions), NodeFileSystem.layer, NodeHttpClient.layer)),
  NodeRuntime.runMain
)
