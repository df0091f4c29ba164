import type { JSX } from "preact"
import { useEffect, useRef } from "preact/hooks"

/** All that is shown without a token. */
export const TokenForm = ({ enter, why }: {
  readonly why: string
  readonly enter: (value: string) => void
}): JSX.Element => {
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => field.current?.focus(), [])
  return (
    <main id="main">
      <form
        class="panel token"
        onSubmit={(event) => {
          event.preventDefault()
          enter(field.current?.value ?? "")
        }}
      >
        <h1>This plane-sync asks for its token</h1>
        <p class="muted">
          That of <code>ORCH_API_TOKEN</code>, or of{" "}
          <code>ORCH_OPERATOR_TOKEN</code>, to retry and discard, too. It is kept in this tab only, until that is
          closed.
        </p>
        <p class="field">
          <label for="token">Token</label>
          <input id="token" ref={field} type="password" autocomplete="off" required />
          <button type="submit" class="primary">Show</button>
        </p>
        {why === "" ? null : <p class="bad" role="alert">{why}</p>}
      </form>
    </main>
  )
}
