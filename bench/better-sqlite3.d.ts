/** The SQLite driver has no types. These are the parts that benchmarks and tests use. */
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
