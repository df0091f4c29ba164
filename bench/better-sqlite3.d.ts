/** The SQLite driver, which comes without types: as much of it as benchmarks and tests use. */
declare module "better-sqlite3" {
  interface Statement {
    readonly reader: boolean
    all(...parameters: ReadonlyArray<unknown>): ReadonlyArray<unknown>
    run(...parameters: ReadonlyArray<unknown>): unknown
  }
  export default class Database {
    constructor(filename: string)
    exec(text: string): this
    prepare(text: string): Statement
    pragma(text: string): unknown
    close(): this
  }
}
