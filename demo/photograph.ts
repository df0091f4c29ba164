import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Command from "@effect/platform/Command"
import * as FileSystem from "@effect/platform/FileSystem"
import { Console, Data, Deferred, Effect, Stream } from "effect"
import { fileURLToPath } from "node:url"
import type { Browser } from "playwright-core"
import { chromium } from "playwright-core"
import { chromium as executablePath, chromiumOptions } from "../test/support/Chromium.js"

/**
 * Takes the pictures of the page that the README and docs/page.md show: of the running demo, when Plane is down in it,
 * an agent asks, and a build is red. It waits until the page says all of that.
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
  <match target="pattern"><test name="family"><string>system-ui</string></test>
    <edit name="family" mode="prepend" binding="strong"><string>Inter</string><string>Noto Color Emoji</string></edit></match>
</fontconfig>`

const started = Effect.gen(function*() {
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
      await page.goto(url)
      return { name, page }
    }), { concurrency: "unbounded" })

const needs = ["closed", "Question", "Red build"]

const photograph = Effect.gen(function*() {
  const browser = yield* started
  const address = yield* Deferred.make<string>()
  const demo = yield* Command.start(
    Command.make("npm", "run", "--silent", "demo").pipe(Command.workingDirectory(root), Command.stderr("inherit"))
  )
  yield* demo.stdout.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.tap((line) => {
      const [, url] = /plane-sync +(http:\/\/\S+)/.exec(line) ?? []
      return url === undefined ? Effect.void : Deferred.succeed(address, url)
    }),
    Stream.runDrain,
    Effect.forkScoped
  )
  const pages = yield* opened(browser, yield* Deferred.await(address))
  const files = yield* FileSystem.FileSystem
  yield* Effect.forEach(pages, ({ name, page }) =>
    Effect.gen(function*() {
      const all = needs.map((words) => `document.body.innerText.includes(${JSON.stringify(words)})`).join(" && ")
      yield* Effect.tryPromise({
        try: () => page.waitForFunction(all, undefined, { timeout: 25_000, polling: 50 }),
        catch: () => new NotTaken({ message: `The page has not said all of ${needs.join(", ")} at the same time` })
      })
      const picture = yield* Effect.promise(() => page.screenshot())
      if (picture.length > mostBytes) {
        return yield* new NotTaken({ message: `${name}.png has ${picture.length} bytes: expected ${mostBytes} at most` })
      }
      yield* files.writeFile(`${root}docs/${name}.png`, picture)
      yield* Console.log(`Taken: docs/${name}.png, ${Math.round(picture.length / 1000)} kB`)
    }), { concurrency: "unbounded" })
})

photograph.pipe(Effect.scoped, Effect.provide(NodeContext.layer), NodeRuntime.runMain)
