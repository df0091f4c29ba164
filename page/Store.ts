import { readBoard, readHistory, readLetters, readOverview, readTask, readWorkItem, Refused, token } from "./Client.js"
import type { Link } from "./Live.js"
import { follow } from "./Live.js"
import type { Route } from "./Route.js"
import { chosenOf, filterOf, routeOf } from "./Route.js"
import type { Board, Filter, History, Item, Letters, Overview } from "./Wire.js"

/** What the page shows. */
export interface Shown {
  /** Undefined: it is shown. Otherwise the form that asks for the token, with why the last one will not do. */
  readonly asksToken: { readonly why: string } | undefined
  readonly link: Link
  readonly route: Route
  readonly overview: Overview | undefined
  readonly board: Board | undefined
  readonly letters: Letters | undefined
  /** What `letters` are of. */
  readonly filter: Filter
  readonly history: History | undefined
  /** The story that is open; the words why there is none; undefined while it is read. */
  readonly item: Item | string | undefined
  /** The project and the words that the board is looked through for. */
  readonly project: string | undefined
  readonly find: string
  /** Why the last reading has failed. */
  readonly problem: string | undefined
  /** How far the server's clock is ahead of the browser's, in milliseconds. */
  readonly ahead: number
}

/** Everything else than the events themselves moves slowly: budgets, times of probes, who leads. */
const slowly = 15_000
/** Buckets are of five minutes. */
const historyEvery = 60_000

/** What was read before, if it says the same: then nothing of it is drawn anew. */
const sameOr = <A>(before: A | undefined, after: A): A =>
  before !== undefined && JSON.stringify(before) === JSON.stringify(after) ? before : after

const wordsOf = (error: unknown): string => error instanceof Error ? error.message : "no answer"

const orUndefined = <A>(reading: Promise<A>): Promise<A | undefined> =>
  reading.catch((error: unknown) => {
    if (error instanceof Refused && (error.status === 404 || error.status === 400)) return undefined
    throw error
  })

/** Reads what the page shows, again when something has changed, and tells the page. */
export class Store {
  shown: Shown = {
    asksToken: undefined,
    link: { _tag: "Connecting" },
    route: routeOf(location.hash),
    overview: undefined,
    board: undefined,
    letters: undefined,
    filter: filterOf(chosenOf(new URLSearchParams()), Date.now()),
    history: undefined,
    item: undefined,
    project: undefined,
    find: "",
    problem: undefined,
    ahead: 0
  }
  /** How many pages of each column, and of the dead letters, a person has opened. */
  private pages = new Map<string, number>()
  private letterPages = 1
  private reading = false
  private again = false
  private historyAt = 0
  private isFollowing = false

  constructor(private readonly tell: () => void) {}

  private set(change: Partial<Shown>): void {
    this.shown = { ...this.shown, ...change }
    this.tell()
  }

  start(): void {
    addEventListener("hashchange", () => {
      const route = routeOf(location.hash)
      const isOther = route._tag !== "Item" || this.shown.route._tag !== "Item" || route.key !== this.shown.route.key
      this.letterPages = 1
      // What is shown of letters must be what the buttons beside it act on.
      this.set({ route, letters: undefined, ...(isOther ? { item: undefined } : {}) })
      this.refresh()
    })
    document.addEventListener("visibilitychange", () => this.refresh())
    setInterval(() => this.refresh(), slowly)
    this.begin()
  }

  private begin(): void {
    this.refresh()
    if (this.isFollowing) return
    this.isFollowing = true
    void follow({
      link: (link) => this.set({ link }),
      changed: () => this.refresh(),
      refused: () => {
        this.isFollowing = false
        this.askToken()
      }
    })
  }

  private askToken(): void {
    const why = token.read() === "" ? "" : "plane-sync does not take this token."
    this.set({ asksToken: { why }, overview: undefined, board: undefined, letters: undefined, item: undefined })
  }

  /** With another token everything is read anew. */
  enter(value: string): void {
    token.keep(value.trim())
    this.set({ asksToken: undefined, problem: undefined })
    this.begin()
  }

  choose(change: { readonly project?: string; readonly find?: string }): void {
    this.pages = new Map()
    this.set(change)
    this.refresh()
  }

  moreCards(stage: string): void {
    this.pages.set(stage, (this.pages.get(stage) ?? 1) + 1)
    this.refresh()
  }

  moreLetters(): void {
    this.letterPages += 1
    this.refresh()
  }

  /** Reads once more. While it does, another wish is remembered: one reading more is enough for all of them. */
  refresh(): void {
    if (this.shown.asksToken !== undefined || document.hidden) return
    if (this.reading) {
      this.again = true
      return
    }
    this.reading = true
    this.again = false
    void this.readAll().then(() => {
      this.reading = false
      if (this.again) this.refresh()
    })
  }

  private async readAll(): Promise<void> {
    const { find: given, project, route } = this.shown
    const find = given === "" ? undefined : given
    try {
      // By itself, because it is answered also while nothing else can be read, and then it says why.
      const overview = await readOverview()
      this.set({ overview, ahead: Date.parse(overview.at) - Date.now() })
      if (route._tag === "Item") {
        const item = await this.readItem(route.key)
        this.set({ problem: undefined, ...(this.shown.route === route ? { item } : {}) })
        return
      }
      const filter = filterOf(chosenOf(route.query), Date.now() + this.shown.ahead)
      const [board, letters] = await Promise.all([this.readBoard(project, find), this.readLetters(filter)])
      const isSame = this.shown.project === project && this.shown.find === given
      const isSameRoute = this.shown.route === route
      if (!isSame || !isSameRoute) this.again = true
      this.set({
        problem: undefined,
        ...(isSame ? { board: sameOr(this.shown.board, board) } : {}),
        ...(isSameRoute ? { filter, letters: sameOr(this.shown.letters, letters) } : {})
      })
      if (Date.now() - this.historyAt > historyEvery) {
        this.historyAt = Date.now()
        this.set({ history: await readHistory() })
      }
    } catch (error) {
      if (error instanceof Refused && error.status === 401) this.askToken()
      else this.set({ problem: wordsOf(error) })
    }
  }

  private async readBoard(project: string | undefined, find: string | undefined): Promise<Board> {
    const board = await readBoard({ project, find })
    const stages = await Promise.all(board.stages.map(async (column) => {
      let { cards, nextCursor } = column
      for (let page = this.pages.get(column.stage) ?? 1; page > 1 && nextCursor !== null; page -= 1) {
        const more = await readBoard({ project: board.project, find, stage: column.stage, cursor: nextCursor })
        const same = more.stages.find(({ stage }) => stage === column.stage)
        cards = [...cards, ...(same?.cards ?? [])]
        nextCursor = same?.nextCursor ?? null
      }
      return { ...column, cards, nextCursor }
    }))
    return { ...board, stages }
  }

  private async readLetters(filter: Filter): Promise<Letters> {
    let letters = await readLetters(filter, null)
    for (let page = 1; page < this.letterPages && letters.nextCursor !== null; page += 1) {
      const more = await readLetters(filter, letters.nextCursor)
      letters = { ...more, total: letters.total, deliveries: [...letters.deliveries, ...more.deliveries] }
    }
    return letters
  }

  private async readItem(key: string): Promise<Item | string> {
    const workItem = await readWorkItem(key).catch((error: unknown) => {
      if (error instanceof Refused && error.status === 404) return error.message
      throw error
    })
    if (typeof workItem === "string") return workItem
    // Where there is no task, there is no card either: somebody else keeps its stages.
    if (workItem.task === null) return { workItem, task: undefined, board: undefined }
    const [task, board] = await Promise.all([
      orUndefined(readTask(key)),
      orUndefined(readBoard({ project: key.replace(/-[^-]*$/, ""), find: key }))
    ])
    return { workItem, task, board }
  }
}
