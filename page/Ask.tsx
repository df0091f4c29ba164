import type { JSX } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"
import { Refused, token } from "./Client.js"

/** Something that is done only when a person has said yes. */
export interface Question {
  readonly title: string
  readonly text: string
  /** The word on the button: "Retry 14". */
  readonly does: string
  /** The word on the other one: "Keep them". */
  readonly leaves: string
  /** Does it with a token, and says what has become of it if that is not what was asked. */
  readonly run: (token: string) => Promise<string | undefined>
  /** It only needs a token, because there is nothing to ask: it has been refused once. */
  readonly needsToken?: string
}

const isAboutToken = (error: unknown): error is Refused =>
  error instanceof Refused && (error.status === 401 || error.status === 403)

/** Asks once, in a dialog of the browser's own: Escape leaves it, and the focus goes back to where it was. */
export const Ask = ({ done, question }: {
  readonly question: Question
  readonly done: (happened: boolean) => void
}): JSX.Element => {
  const dialog = useRef<HTMLDialogElement>(null)
  const field = useRef<HTMLInputElement>(null)
  const happened = useRef(false)
  const [isRunning, setRunning] = useState(false)
  const [said, setSaid] = useState(question.needsToken)
  const [asksToken, setAsksToken] = useState(question.needsToken !== undefined)
  const [isOver, setOver] = useState(false)

  useEffect(() => dialog.current?.showModal(), [])
  useEffect(() => {
    if (asksToken) field.current?.focus()
  }, [asksToken])

  const close = () => dialog.current?.close()
  const run = async () => {
    const own = field.current?.value.trim() ?? ""
    const given = own === "" ? token.read() : own
    setRunning(true)
    try {
      const words = await question.run(given)
      happened.current = true
      if (own !== "") token.keep(own)
      if (words === undefined) return close()
      setSaid(words)
      setAsksToken(false)
      setOver(true)
    } catch (error) {
      const words = error instanceof Error ? error.message : "It was not done."
      setSaid(error instanceof Refused ? words : `${words} A part of it may have been done.`)
      setAsksToken(isAboutToken(error))
    } finally {
      setRunning(false)
    }
  }

  return (
    <dialog
      ref={dialog}
      aria-labelledby="ask"
      // What runs cannot be taken back, so it is not left.
      onCancel={(event) => {
        if (isRunning) event.preventDefault()
      }}
      onClose={() => done(happened.current)}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (isOver) close()
          else if (!isRunning) void run()
        }}
      >
        <h2 id="ask">{question.title}</h2>
        <p>{question.text}</p>
        {said === undefined ? null : <p class="said" role="alert">{said}</p>}
        {asksToken
          ? (
            <p class="field">
              <label for="operator">Token</label>
              <input id="operator" ref={field} type="password" autocomplete="off" required />
            </p>
          )
          : null}
        <div class="actions">
          {isOver ? null : <button type="button" disabled={isRunning} onClick={close}>{question.leaves}</button>}
          <button type="submit" class="primary" aria-disabled={isRunning ? "true" : undefined}>
            {isOver ? "Close" : isRunning ? "Working …" : question.does}
          </button>
        </div>
      </form>
    </dialog>
  )
}
