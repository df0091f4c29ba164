import { assert, describe, it } from "@effect/vitest"
import { DateTime, Option } from "effect"
import { EpochMillis, utc } from "../../src/base/Time.js"
import { GiteaError } from "../../src/gitea/GiteaError.js"
import { judge } from "../../src/health/Judge.js"
import { DeadCode } from "../../src/outbox/DeadCode.js"
import { below, headline } from "../../src/overview/Headline.js"
import { findNeeds, severityOf, shownNeeds } from "../../src/overview/Needs.js"
import type { OverviewFacts } from "../../src/overview/OverviewFacts.js"
import { PlaneErrorReason } from "../../src/plane/PlaneError.js"
import { awaited } from "../../src/sending/Destination.js"
import { StorageError } from "../../src/storage/StorageError.js"
import { closedBy, facts, gate, letters, mira, notAsked, now, planeError, wait } from "./Facts.js"

const keyRefused = closedBy(planeError("KeyRefused", 403, "Given API token is not valid"))
const pending = { pending: 15, dead: 0, delivered: 0, discarded: 0, oldestAt: Option.some(utc(EpochMillis(1))) }
const full = new StorageError({ reason: "Full", where: "x.sqlite", words: "SQLITE_FULL" })
const refused = { at: utc(now), why: "it is not signed" }
const hooks = {
  plane: { acceptedAt: Option.none(), refused: Option.some(refused), refusedSince: 2, skipped: [] },
  gitea: { acceptedAt: Option.none(), refused: Option.none(), refusedSince: 0, skipped: [] }
}
const giteaError = (reason: GiteaError["reason"]) =>
  new GiteaError({ reason, path: "repos/acme/widgets", words: "401", token: "ORCH_GITEA_TOKEN" })
const replica = {
  host: "a",
  pid: 1,
  since: now,
  seenAt: now,
  alive: true,
  leads: [],
  isMain: true
}

const said = (given: OverviewFacts) => headline(given, findNeeds(given)).join(" ")

/** Each need in short: its label, what it is, and what the first button does. */
const shown = (given: OverviewFacts) =>
  shownNeeds(findNeeds(given)).map(({ actions, label, severity, title }) =>
    [severity, label, title, actions.map(({ label }) => label).join(", ")].join(" | ")
  )

describe("the head of the page", () => {
  for (
    const [what, given, words] of [
      ["nothing is wrong", facts(), "All told. Nothing needs you."],
      [
        "some are owed",
        facts({ health: { outbox: pending } }),
        "Nothing needs you. 15 events are on the way to Plane."
      ],
      [
        "Plane is not asked yet",
        facts({ health: { projects: [notAsked(awaited)] } }),
        "Nothing needs you. Plane was not asked yet: its first answer is awaited."
      ],
      ["a question alone", facts({ waits: [wait(5)] }), "An agent asks a question."],
      [
        "the cause before the counts",
        facts({
          health: { projects: [keyRefused], outbox: pending },
          waits: [wait(5)],
          gates: [gate(2)],
          letters: [letters(14), letters(2, { code: "not_found" })]
        }),
        "Plane is closed: it refuses the key of ET. An agent asks a question, a build is red, and 16 letters are dead."
      ],
      [
        "two causes",
        facts({ health: { projects: [keyRefused], gitea: [giteaError("KeyRefused")] } }),
        "Plane is closed: it refuses the key of ET. Gitea does not let itself be asked."
      ],
      [
        "many of a kind are counted",
        facts({ waits: Array.from({ length: 12 }, (_, n) => wait(n + 1)), gates: [gate(20), gate(21)] }),
        "12 agents ask questions and 2 builds are red."
      ]
    ] as const
  ) {
    it(`${what}: ${words}`, () => {
      assert.strictEqual(said(given), words)
    })
  }

  it("says whether anything is lost, and what happens by itself", () => {
    assert.strictEqual(below(facts({ toldLastHour: 31 })), "31 events were told in the last hour.")
    assert.strictEqual(
      below(facts({ health: { projects: [keyRefused], outbox: pending }, letters: [letters(1)] })),
      "Nothing is lost. The 15 events that are owed are told as soon as Plane can be written to; tasks go on meanwhile. " +
        "What is dead is kept until you decide."
    )
    assert.include(below(facts({ health: { readFailure: full } })), "What comes now is refused")
    assert.include(below(facts({ health: { notStored: { count: 2, at: now } } })), "in the log alone")
  })
})

describe("what needs a person", () => {
  it("of a key that is refused: what Plane says, which setting, and two buttons", () => {
    const [need] = shownNeeds(findNeeds(facts({ health: { projects: [keyRefused], outbox: pending } })))
    assert.deepInclude(need, {
      severity: "broken",
      label: "Key refused",
      since: DateTime.unsafeMake(1_000_000),
      title: "Plane does not take the key of ET",
      evidence: { before: "It says:", words: "403 Given API token is not valid" }
    })
    assert.include(need?.remedy, "`ORCH_PLANE_API_TOKEN`")
    assert.include(need?.remedy, "15 events wait, on disk")
    assert.deepStrictEqual(need?.actions, [
      { _tag: "Open", label: "Open Plane", url: "https://plane.example.com/trail" },
      { _tag: "Probe", label: "Probe now" }
    ])
  })

  it("projects that are closed for one reason are one need, for two reasons two", () => {
    const other = closedBy(planeError("Archived", 404, ""), "DOC")
    const same = closedBy(planeError("KeyRefused", 403, "Given API token is not valid"), "DOC")
    const titles = (projects: OverviewFacts["health"]["projects"]) =>
      shownNeeds(findNeeds(facts({ health: { projects } }))).map(({ title }) => title)
    assert.deepStrictEqual(titles([keyRefused, same]), ["Plane does not take the key of ET and DOC"])
    assert.deepStrictEqual(titles([keyRefused, other]), [
      "Plane does not take the key of ET",
      "The project DOC is archived in Plane"
    ])
  })

  for (
    const [what, health, words] of [
      ["events that were lost", { notStored: { count: 2, at: now } }, /Events lost \| 2 events could not be stored/],
      ["storage", { writeFailure: { at: now, error: full } }, /Storage \| What happens cannot be stored/],
      ["damage", { integrity: "Storage x: the file is damaged" }, /Damaged \| The database is damaged/],
      ["no key", { projects: [notAsked("ORCH_PLANE_API_TOKEN is not set")] }, /No key \| No key is set for ET/],
      ["no replica", { elsewhere: ["ET"], replicas: [replica] }, /No leader \| No replica sends for ET/],
      ["a standby", { standby: "process 7 on host b sends" }, /^waits \| Standby/],
      ["a project that is not set", { left: ["3 work items of OLD wait"] }, /Project left/],
      ["a table that does not fit", {
        projects: [{ ...keyRefused, destination: { open: true as const }, misfit: Option.some("it has no state X") }]
      }, /Stage table \| The stage table of ET does not fit/],
      ["Gitea's token", { gitea: [giteaError("KeyRefused")] }, /Gitea's token \| Gitea refuses the token/],
      ["Gitea away", { gitea: [giteaError("Unreachable")] }, /Gitea away/],
      ["hooks that are refused", { hooks }, /Webhooks refused \| Webhooks of Plane are refused/],
      [
        "hooks that do not come",
        { silent: [{ workspace: "trail", since: utc(now), page: "https://plane.example.com/w" }] },
        /Webhooks silent .* Webhooks in Plane$/
      ]
    ] as const
  ) {
    it(`${what}: as /health says that it is degraded, a need says what mends it`, () => {
      const given = facts({ health })
      assert.strictEqual(judge(given.health).status, "degraded")
      const [line, ...others] = shown(given)
      assert.match(line ?? "", words)
      assert.deepStrictEqual(others, [])
      assert.isAbove(shownNeeds(findNeeds(given))[0]?.remedy.length ?? 0, 20)
    })
  }

  it("each reason for which Plane can be closed has words of its own", () => {
    for (const reason of PlaneErrorReason.literals) {
      const [need] = shownNeeds(findNeeds(facts({ health: { projects: [closedBy(planeError(reason, 500, "x"))] } })))
      assert.isDefined(need, reason)
      assert.isFalse(/undefined|``/.test(JSON.stringify(need)), JSON.stringify(need))
    }
  })

  it("a file that is being checked needs nobody", () => {
    const integrity = "Storage x: the file is being checked for damage, and is used meanwhile"
    assert.deepStrictEqual(shown(facts({ health: { integrity } })), [])
  })

  it("a question: who asks whom, what, and who is asked next", () => {
    const given = facts({ waits: [wait(5, { reached: [mira], step: 1, escalateAt: Option.some(utc(now)) })] })
    const [need] = shownNeeds(findNeeds(given))
    assert.deepStrictEqual([need?.severity, need?.label, need?.title], ["waits", "Question", "ET-5"])
    assert.deepStrictEqual(need?.evidence, {
      before: "architect asks mira@example.org:",
      words: "May the old table be dropped?"
    })
    assert.strictEqual(
      need?.remedy,
      "Comment `/answer` and your words on ET-5. Until then rafa@example.org is asked next."
    )
    assert.deepStrictEqual(need?.actions, [
      { _tag: "Open", label: "Answer in Plane", url: "https://plane.example.com/trail/browse/ET-5/" }
    ])
  })

  it("a red build is one need, from its first failure on, and the same when somebody is asked about it", () => {
    const first = facts({ gates: [gate(2)] })
    const third = facts({
      gates: [gate(2, { failed: 3 })],
      waits: [wait(9, { taskId: gate(2).taskId, workItem: "ET-2", reason: "gate_failed", same: "ci" })]
    })
    const line = "broken | Red build | ET-2 | Open the build"
    assert.deepStrictEqual([shown(first), shown(third)], [[line], [line]])
    const [one] = shownNeeds(findNeeds(first))
    const [other] = shownNeeds(findNeeds(third))
    assert.strictEqual(one?.id, other?.id)
    assert.strictEqual(other?.evidence?.before, "Gate ci failed 3 times at development:")
    assert.include(one?.remedy, "Push a fix to pull request 12. Or comment `/retry`")
  })

  it("a gate that nobody can look at is one only once somebody is asked", () => {
    const hidden = gate(2, { gate: "coverage", page: Option.none() })
    assert.deepStrictEqual(shown(facts({ gates: [hidden] })), [])
    const asked = wait(9, { taskId: hidden.taskId, workItem: "ET-2", reason: "gate_failed", same: "coverage" })
    assert.deepStrictEqual(shown(facts({ gates: [hidden], waits: [asked] })), [
      "broken | Failed gate | ET-2 | Open in Plane"
    ])
  })

  it("a name from outside is text, never code", () => {
    const items: OverviewFacts["items"] = (key) => ({ key, name: "a `rm -rf` b", url: null })
    const [need] = shownNeeds(findNeeds(facts({ items, waits: [wait(5)] })))
    assert.strictEqual(need?.title, "ET-5 a 'rm -rf' b")
    assert.strictEqual(need?.workItem?.name, "a `rm -rf` b")
  })

  it("more than five of a kind are one, with their number", () => {
    const five = Array.from({ length: 5 }, (_, n) => wait(n + 1))
    assert.lengthOf(shown(facts({ waits: five })), 5)
    const six = facts({ waits: [...five, wait(6)] })
    const [need, ...others] = shownNeeds(findNeeds(six))
    assert.deepStrictEqual(others, [])
    assert.deepInclude(need, { count: 6, title: "6 agents ask questions", label: "Question", workItem: null })
    assert.strictEqual(need?.evidence?.words, "ET-1, ET-2, ET-3, ET-4, ET-5")
  })

  it("dead letters: by reason and project, with what is meant by all", () => {
    const [need] = shownNeeds(findNeeds(facts({ letters: [letters(14)] })))
    assert.deepStrictEqual(need?.actions, [
      {
        _tag: "RetryLetters",
        label: "Retry all 14",
        filter: { code: "refused", project: "ET", since: null, until: null, upTo: 40 },
        count: 14
      },
      {
        _tag: "ShowLetters",
        label: "Show them",
        filter: { code: "refused", project: "ET", since: null, until: null, upTo: 40 }
      }
    ])
    for (const code of DeadCode.literals) {
      assert.lengthOf(shownNeeds(findNeeds(facts({ letters: [letters(2, { code })] })))[0]?.actions ?? [], 2, code)
    }
  })

  it("notices that were given up: how many, and the commands that list, retry and discard them", () => {
    const given = facts({ health: { deadNotices: 2 }, letters: [letters(3)] })
    assert.strictEqual(judge(given.health).status, "degraded")
    assert.strictEqual(said(given), "2 notices were given up and 3 letters are dead.")
    assert.strictEqual(said(facts({ health: { deadNotices: 1 } })), "A notice was given up.")
    const [need] = shownNeeds(findNeeds(given))
    assert.deepInclude(need, { severity: "broken", label: "Notices", count: 2, title: "2 notices were given up" })
    for (const act of ["list", "retry", "discard"]) assert.include(need?.remedy, `\`plane-sync notices ${act}\``)
    assert.deepStrictEqual(need?.actions, [])
  })

  it("the severity is that of the worst", () => {
    const of = (given: OverviewFacts) => severityOf(findNeeds(given))
    assert.deepStrictEqual(
      [of(facts()), of(facts({ waits: [wait(1)] })), of(facts({ waits: [wait(1)], gates: [gate(2)] }))],
      ["fine", "waits", "broken"]
    )
  })
})
