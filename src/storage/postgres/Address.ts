import { Either, Option, Redacted } from "effect"

/** Where a Postgres is, as `ORCH_DATABASE_URL` has it. Its password stays hidden. */
export interface PostgresAddress {
  readonly url: Redacted.Redacted
  /** As a person knows it, without user and password: `Postgres db.example:5432/orchestrator`. */
  readonly where: string
}

/** Whether a text is meant as the address of a Postgres. */
export const isPostgres = (text: string): boolean => /^postgres(ql)?:/i.test(text)

/** The address, or what is wrong with it. It may hold a password, so nothing of it is repeated. */
export const parseAddress = (text: string): Either.Either<PostgresAddress, string> =>
  Option.match(Option.liftThrowable((text: string) => new URL(text))(text), {
    onNone: () => Either.left("the address of a Postgres is not a URL"),
    onSome: (url) => {
      const database = decodeURIComponent(url.pathname.replace(/^\//, ""))
      if (!text.toLowerCase().startsWith(`${url.protocol}//`)) return Either.left("an address needs two slashes")
      if (database === "") return Either.left("the address names no database")
      const socket = url.searchParams.get("host") ?? ""
      const host = url.host === "" ? socket : url.host
      if (host === "") return Either.left("the address names no host")
      return Either.right({ url: Redacted.make(text), where: `Postgres ${host}/${database}` })
    }
  })
