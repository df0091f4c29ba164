import type { JSX } from "preact"
import { useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from "preact/hooks"
import { Ask } from "./Ask.js"
import type { Question } from "./Ask.js"
import { Condition } from "./Condition.js"
import { Day } from "./Day.js"
import { Letters } from "./Letters.js"
import { Needs } from "./Needs.js"
import { Pipeline } from "./Pipeline.js"
import { Replicas } from "./Replicas.js"
import { chosenOf } from "./Route.js"
import type { Shown } from "./Store.js"
import { Store } from "./Store.js"
import { Story } from "./Story.js"
import { TokenForm } from "./TokenForm.js"
import type { Overview } from "./Wire.js"
import { moment, number, until } from "./Words.js"

const sections = [
  { at: "", name: "Now" },
  { at: "pipeline", name: "Pipeline" },
  { at: "dead", name: "Dead letters" },
  { at: "day", name: "24 hours" },
  { at: "replicas", name: "Replicas" }
]

const Top = ({ now, shown }: { readonly shown: Shown; readonly now: number }): JSX.Element => {
  const { asksToken, link, overview, route } = shown
  const present = route._tag === "Overview" ? route.section : undefined
  const isShown = asksToken === undefined && overview !== undefined
  const isStale = link._tag === "Stale"
  return (
    <header class="top">
      <a class="brand" href="#/">plane-sync</a>
      <nav aria-label="Parts of this page">
        {!isShown ? null : sections.filter(({ at }) => at !== "replicas" || overview.replicas.length > 1)
          .map(({ at, name }) => (
            <a
              key={at}
              href={`#/${at}`}
              class={at === "pipeline" || at === "dead" ? "keep" : undefined}
              aria-current={present === at ? "page" : undefined}
            >
              {at === "dead"
                ? (
                  <>
                    Dead<span class="long">{" letters"}</span>
                  </>
                )
                : name}
              {at === "dead" && overview.dead > 0 ? <span class="count">{number(overview.dead)}</span> : null}
            </a>
          ))}
      </nav>
      {!isShown ? null : (
        <p class={`live ${link._tag === "Live" ? "" : "is-off"}`}>
          {link._tag === "Live"
            ? "Live"
            : isStale
            ? <b>Stale</b>
            : link._tag === "Crowded"
            ? "Now and then"
            : "Connecting"}
          {isStale ? null : <time>{moment(new Date(now).toISOString(), now, true)}</time>}
        </p>
      )}
    </header>
  )
}

/** Says what cannot be trusted, and what is done about it. */
const noticeOf = (shown: Shown, version: string | undefined, now: number): JSX.Element | string | undefined => {
  const { link, overview, problem } = shown
  const clock = now - shown.ahead
  const again = (at: number) => `Trying again ${until(new Date(at).toISOString(), clock)}.`
  if (link._tag === "Stale") {
    const since = moment(new Date(link.since).toISOString(), clock, true)
    return overview === undefined
      ? `plane-sync does not answer (${link.why}). ${again(link.nextTry)}`
      : `Nothing was heard from plane-sync since ${since}. What you see is from then. ${again(link.nextTry)}`
  }
  if (overview !== undefined && version !== undefined && version !== overview.version) {
    return (
      <>
        plane-sync was updated to {overview.version}. <a href="./">Load the page anew</a>
      </>
    )
  }
  if (problem !== undefined) return `The last reading has failed: ${problem}`
  if (link._tag === "Crowded") return `${link.why}. This page reads all 15 seconds instead.`
  return undefined
}

const Verdict = ({ overview }: { readonly overview: Overview }): JSX.Element => {
  const [first = "", ...others] = overview.headline
  return (
    <div class={`verdict is-${overview.severity}`}>
      <h1>
        {first}
        {others.length === 0 ? null : (
          <>
            {" "}
            <span>{others.join(" ")}</span>
          </>
        )}
      </h1>
      <p>{overview.below}</p>
    </div>
  )
}

/** The sentence once more, for a screen reader, which hears it only when it changes: it stays the same node. */
const Announced = ({ overview }: { readonly overview: Overview | undefined }): JSX.Element => (
  <p class="hidden" role="status">{overview?.headline.join(" ")}</p>
)

const titleOf = ({ asksToken, link, overview, route }: Shown): string => {
  if (asksToken !== undefined || overview === undefined) return "plane-sync"
  const needs = overview.needsYou === 0
    ? ""
    : `${overview.needsYou} ${overview.needsYou === 1 ? "needs" : "need"} you · `
  const stale = link._tag === "Stale" ? "stale · " : ""
  return `${stale}${needs}${route._tag === "Item" ? `${route.key} · ` : ""}plane-sync`
}

/** Where the focus was, so that it can go back there when what had it is drawn anew at another place. */
const placeOf = (element: Element | null) => ({
  element,
  href: element?.getAttribute("href"),
  row: element?.closest("[data-key]")?.getAttribute("data-key")
})

const isLost = () => document.activeElement === null || document.activeElement === document.body

/** Gives the focus back after a live update: to the same element, to the same link, or to the heading of the part. */
const restore = ({ element, href, row }: ReturnType<typeof placeOf>): void => {
  if (!isLost() || element === null || element === document.body) return
  if (element.isConnected && element instanceof HTMLElement) return element.focus({ preventScroll: true })
  const links = Array.from(document.querySelectorAll<HTMLElement>("main a[href]"))
  const same = links.find((one) => one.getAttribute("href") === href)
  const ofRow = Array.from(document.querySelectorAll<HTMLElement>("[data-key]")).find((one) =>
    one.dataset["key"] === row
  )?.querySelector<HTMLElement>("a[href], button")
  const found = same ?? ofRow ?? document.querySelector<HTMLElement>("#h-needs, h1[tabindex]")
  found?.focus({ preventScroll: true })
}

/** Moves to the part that the address names, and its focus too: once, when a person has gone there. */
const useRoute = ({ item, overview, route }: Shown) => {
  const last = useRef<Shown["route"] | undefined>(undefined)
  const from = useRef<string | undefined>(undefined)
  const isReady = overview !== undefined
  useEffect(() => {
    const before = last.current
    if (!isReady || before === route) return
    last.current = route
    if (route._tag === "Item") {
      if (before?._tag === "Item" && before.key === route.key) return
      from.current = location.hash
      scrollTo(0, 0)
      document.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true })
      return
    }
    if (before?._tag === "Item") {
      const links = Array.from(document.querySelectorAll<HTMLElement>("main a[href]"))
      const back = links.find((one) => one.getAttribute("href") === from.current)
      if (back !== undefined && route.section === "") return back.focus()
    }
    if (before?._tag === "Overview" && before.section === route.section) return
    const part = route.section === "" ? undefined : document.getElementById(`h-${route.section}`)
    if (part === undefined || part === null) {
      if (before !== undefined) scrollTo(0, 0)
      return
    }
    document.getElementById(route.section)?.scrollIntoView()
    part.focus({ preventScroll: true })
  }, [route, isReady, item === undefined])
}

const useStore = (): { readonly store: Store; readonly shown: Shown } => {
  const [, draw] = useReducer((count: number) => count + 1, 0)
  const focused = useRef(placeOf(null))
  const [store] = useState(() =>
    new Store(() => {
      focused.current = placeOf(document.activeElement)
      draw(undefined)
    })
  )
  useEffect(() => store.start(), [])
  useLayoutEffect(() => {
    restore(focused.current)
    focused.current = placeOf(null)
  })
  return { store, shown: store.shown }
}

const useClock = (): number => {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000)
    return () => clearInterval(timer)
  }, [])
  return now
}

/**
 * The large parts. They are drawn anew when what they show has changed, and each ten seconds for the times in them, and
 * not at each tick of the clock.
 */
const useParts = ({ isOff, now, setQuestion, shown, store }: {
  readonly isOff: boolean
  readonly now: number
  readonly setQuestion: (question: Question) => void
  readonly shown: Shown
  readonly store: Store
}): ReadonlyArray<JSX.Element | null> => {
  const { board, filter, find, history, letters, overview, route } = shown
  const tick = Math.floor(now / 10_000)
  const pipeline = useMemo(() =>
    board === undefined ? null : (
      <Pipeline
        key="pipeline"
        {...{ board, find, now }}
        choose={(change) => store.choose(change)}
        more={(stage) => store.moreCards(stage)}
      />
    ), [board, find, tick])
  const dead = useMemo(() =>
    letters === undefined || overview === undefined || route._tag === "Item" ? null : (
      <Letters
        key="dead"
        {...{ filter, isOff, letters, now, overview }}
        ask={setQuestion}
        chosen={chosenOf(route.query)}
        more={() => store.moreLetters()}
      />
    ), [letters, overview?.dead, route, isOff, tick])
  const day = useMemo(() => history === undefined ? null : <Day key="day" {...{ history, now }} />, [history, tick])
  return [pipeline, dead, day]
}

export const App = (): JSX.Element => {
  const { shown, store } = useStore()
  const now = useClock() + shown.ahead
  const [question, setQuestion] = useState<Question>()
  const version = useRef<string | undefined>(undefined)
  const { asksToken, item, link, overview, route } = shown
  version.current ??= overview?.version
  useRoute(shown)
  useEffect(() => {
    document.title = titleOf(shown)
  })
  const isOff = link._tag === "Stale"
  const notice = asksToken === undefined ? noticeOf(shown, version.current, now) : undefined
  const read = () => store.refresh()
  const parts = useParts({ isOff, now, setQuestion, shown, store })
  return (
    <>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault()
          document.getElementById("main")?.focus()
        }}
      >
        Skip to what needs you
      </a>
      <Top {...{ now, shown }} />
      <Announced overview={overview} />
      <div role="alert">{notice === undefined ? null : <p class="notice">{notice}</p>}</div>
      {asksToken !== undefined
        ? <TokenForm key={asksToken.why} why={asksToken.why} enter={(value) => store.enter(value)} />
        : (
          <main id="main" tabIndex={-1}>
            {overview === undefined
              ? <p class="loading">Reading what is owed …</p>
              : route._tag === "Item"
              ? <Story itemKey={route.key} {...{ item, now }} />
              : (
                <>
                  <Verdict overview={overview} />
                  <div class={`now is-${overview.severity}`}>
                    <Needs {...{ isOff, now, overview, read }} ask={setQuestion} />
                    <Condition {...{ now, overview }} />
                  </div>
                  {parts}
                  <Replicas {...{ now, overview }} />
                </>
              )}
          </main>
        )}
      {asksToken !== undefined ? null : (
        <footer class="foot">
          {overview === undefined ?
            null :
            <span>plane-sync {overview.version}, up since {moment(overview.startedAt, now)}</span>}
          <a href="docs">API</a>
          <a href="health">Health</a>
          <a href="metrics">Metrics</a>
        </footer>
      )}
      {question === undefined ? null : (
        <Ask
          question={question}
          done={(happened) => {
            setQuestion(undefined)
            if (happened) read()
          }}
        />
      )}
    </>
  )
}
