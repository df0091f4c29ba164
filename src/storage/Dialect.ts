import type { SqlClient } from "@effect/sql/SqlClient"
import type { Fragment } from "./Sql.js"

/** What a list that goes into a statement can hold. */
type Item = string | number | boolean | null | undefined

/**
 * What SQLite and Postgres say differently. Everything else is written so that both take it and mean the same:
 *
 * - `CASE`, not `iif` or `min` and `max` of several values; `IS DISTINCT FROM`, not `IS NOT` a value
 * - an alias for every query within a FROM
 * - `CAST(… AS bigint)` around a number of a list's row, which is a text in Postgres
 * - `flag` around a condition that is read, because Postgres has a type for what is true
 * - no text with an order other than that of its bytes: all our columns of texts have it
 */
export interface Dialect {
  /**
   * Rows of a list, for a FROM: `value ->> 0` is the first field of a row, as a text in Postgres, and `key` counts the
   * rows. One parameter keeps the statement's text, and so its prepared form, the same for lists of every length.
   */
  readonly each: (rows: ReadonlyArray<ReadonlyArray<Item>>, alias?: "each" | "other") => Fragment
  /** The numbers of a list, for an IN. */
  readonly numbers: (list: ReadonlyArray<number>) => Fragment
  /** The texts of a list, for an IN. */
  readonly texts: (list: ReadonlyArray<string>) => Fragment
  /** The values of an expression in many rows, as the text of a JSON array; `[]` without rows. */
  readonly jsonList: (expression: Fragment) => Fragment
  /** An object of each of many rows, by the expressions of its fields, as the text of a JSON array. */
  readonly jsonObjects: (fields: Readonly<Record<string, Fragment>>) => Fragment
  /**
   * The text of a JSON array with one more item at its end. `most`: the first one goes if there would be more.
   */
  readonly appended: (json: Fragment, item: Fragment, most?: number) => Fragment
  /** A JSON array of these, as an item for `appended`. */
  readonly jsonArray: (items: ReadonlyArray<Fragment>) => Fragment
  /** The texts of the text of a JSON array, for an IN. */
  readonly textsOf: (json: Fragment) => Fragment
  /**
   * The text at a path of a JSON text from outside; null where there is none. On Postgres it is read with U+FFFD in
   * place of the escapes of U+0000 and of surrogates, because one of them would have all of the JSON refused. Meant for
   * ids, which have none.
   */
  readonly textAt: (json: Fragment, path: ReadonlyArray<string>) => Fragment
  /** Where a character is in a text, counted from 1; 0 where it is not. */
  readonly position: (text: Fragment, character: string) => Fragment
  /** Goes after a SELECT whose rows are to be changed: on Postgres, a row that another transaction has is left out. */
  readonly skipLocked: Fragment
  /** Whether processes on other machines may use the database too. */
  readonly isShared: boolean
  /** Now, in milliseconds, by one clock for all who use the database. `now` is that of this process. */
  readonly clock: (now: number) => Fragment
  /** How many rows the last statement has changed; on Postgres, whether the transaction has changed anything. */
  readonly changes: Fragment
  /** Goes after a SELECT: on Postgres, waits until no other transaction has the rows, and keeps others out. */
  readonly locked: Fragment
  /**
   * A condition that always holds, for the WHERE of an INSERT that numbers its rows. On Postgres a number is taken
   * before the commit, so that a smaller one can be committed after a larger one. By this the transaction tells, before
   * it takes a number, which is the smallest that it may bring. Its own number, as Postgres has it, would not do: it is
   * taken earlier, and not in the same order.
   */
  readonly numbering: (table: string, column: string) => Fragment
  /**
   * A query of a number (`upTo`): who reads rows in a later transaction sees all that there will ever be up to this
   * one, if they were inserted with `numbering`.
   */
  readonly settledNumber: (table: string, column: string) => Fragment
  /**
   * To be selected before anything else in a transaction: on Postgres, waits until no other transaction has the turn of
   * this name, and keeps it until this one ends. Those that share a turn do not wait for each other. SQLite lets only
   * one write anyway.
   */
  readonly turn: (name: string, kind?: "alone" | "shared") => Fragment
}

/** What a dialect is made of. */
export interface Template {
  (strings: TemplateStringsArray, ...values: ReadonlyArray<string | number | Fragment>): Fragment
  readonly literal: (text: string) => Fragment
  readonly join: (separator: string, fragments: ReadonlyArray<Fragment>) => Fragment
}

const fieldsOf = (sql: Template, fields: Readonly<Record<string, Fragment>>) =>
  sql.join(", ", Object.entries(fields).map(([name, value]) => sql`${sql.literal(`'${name}'`)}, ${value}`))

const sqlite = (sql: Template): Dialect => {
  const list = (values: ReadonlyArray<unknown>) => sql`(SELECT value FROM json_each(${JSON.stringify(values)}))`
  return {
    each: (rows, alias = "each") => sql`json_each(${JSON.stringify(rows)}) ${sql.literal(alias)}`,
    numbers: list,
    texts: list,
    jsonList: (expression) => sql`json_group_array(${expression})`,
    jsonObjects: (fields) => sql`json_group_array(json_object(${fieldsOf(sql, fields)}))`,
    appended: (json, item, most) => {
      const shorter = most === undefined ?
        json :
        sql`CASE WHEN json_array_length(${json}) < ${
          sql.literal(String(most))
        } THEN ${json} ELSE json_remove(${json}, '$[0]') END`
      return sql`json_insert(${shorter}, '$[#]', ${item})`
    },
    jsonArray: (items) => sql`json_array(${sql.join(", ", items)})`,
    textsOf: (json) => sql`(SELECT value FROM json_each(${json}))`,
    textAt: (json, path) => sql`(${json} ->> ${sql.literal(`'$.${path.join(".")}'`)})`,
    position: (text, character) => sql`instr(${text}, ${character})`,
    isShared: false,
    clock: (now) => sql`${now}`,
    changes: sql`changes()`,
    skipLocked: sql``,
    locked: sql``,
    // One transaction writes at a time, and takes its numbers within it.
    numbering: () => sql`true`,
    settledNumber: () => sql`SELECT ${sql.literal(String(Number.MAX_SAFE_INTEGER))} AS "upTo"`,
    turn: () => sql`NULL`
  }
}

/** The kind of the locks by which `numbering` tells others: any number that no other program uses. */
const numberLocks = "752637963"

/** Such a lock has a number of 32 bits. From then on nothing is settled while anybody publishes. */
const largestLock = "2147483647"

// The replacement is as long, so that a backslash before it that is escaped itself stays so.
const anyUnstorable = "'\\\\u(0000|[dD][89a-fA-F][0-9a-fA-F]{2})'"

const postgres = (sql: Template): Dialect => {
  const numbersOf = (table: string, column: string) => sql.literal(`${table}_${column}_seq`)
  const rowsOf = (values: ReadonlyArray<unknown>) => sql`jsonb_array_elements(CAST(${JSON.stringify(values)} AS jsonb))`
  const items = (values: ReadonlyArray<unknown>) =>
    sql`jsonb_array_elements_text(CAST(${JSON.stringify(values)} AS jsonb)) AS item`
  return {
    each: (rows, alias = "each") => sql`${rowsOf(rows)} WITH ORDINALITY AS ${sql.literal(`"${alias}"`)} (value, key)`,
    // By the LIMIT it is known how few there are: otherwise a whole table may be read.
    numbers: (list) => sql`(SELECT CAST(item AS bigint) FROM ${items(list)} LIMIT ${list.length})`,
    texts: (list) => sql`(SELECT item FROM ${items(list)} LIMIT ${list.length})`,
    jsonList: (expression) => sql`CAST(coalesce(json_agg(${expression}), '[]') AS text)`,
    jsonObjects: (fields) => sql`CAST(coalesce(json_agg(json_build_object(${fieldsOf(sql, fields)})), '[]') AS text)`,
    appended: (json, item, most) => {
      const array = sql`CAST(${json} AS jsonb)`
      const shorter = most === undefined ?
        array :
        sql`CASE WHEN jsonb_array_length(${array}) < ${sql.literal(String(most))} THEN ${array} ELSE ${array} - 0 END`
      return sql`CAST((${shorter}) || jsonb_build_array(${item}) AS text)`
    },
    jsonArray: (items) => sql`jsonb_build_array(${sql.join(", ", items)})`,
    textsOf: (json) => sql`(SELECT item FROM jsonb_array_elements_text(CAST(${json} AS jsonb)) AS item)`,
    // As json, because jsonb refuses some numbers, too.
    textAt: (json, path) =>
      sql`(CAST(regexp_replace(${json}, ${sql.literal(anyUnstorable)}, '\\\\ufffd', 'g') AS json)
        #>> ${sql.literal(`'{${path.join(",")}}'`)})`,
    position: (text, character) => sql`strpos(${text}, ${character})`,
    isShared: true,
    clock: () => sql`CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)`,
    changes: sql`CASE WHEN pg_current_xact_id_if_assigned() IS NULL THEN 0 ELSE 1 END`,
    skipLocked: sql`FOR UPDATE SKIP LOCKED`,
    locked: sql`FOR UPDATE`,
    // All share these locks, so nobody waits for one. A transaction takes only one, because there is room for few.
    numbering: (table, column) =>
      sql`(SELECT count(*) FROM (SELECT pg_advisory_xact_lock_shared(${sql.literal(numberLocks)},
          CAST(CASE WHEN last_value < ${sql.literal(largestLock)} THEN last_value
            ELSE ${sql.literal(largestLock)} END AS integer)),
          set_config('plane_sync.numbering', 'on', true)
        FROM ${numbersOf(table, column)}
        WHERE coalesce(current_setting('plane_sync.numbering', true), '') <> 'on') told) >= 0`,
    // The last number is read first: whoever takes a larger one does not matter, and all others have their locks.
    settledNumber: (table, column) =>
      sql`SELECT CASE WHEN told.smallest < numbers.last_value THEN told.smallest ELSE numbers.last_value END AS "upTo"
        FROM ${numbersOf(table, column)} numbers CROSS JOIN LATERAL (SELECT min(CAST(objid AS bigint)) AS smallest
          FROM pg_locks WHERE numbers.last_value IS NOT NULL AND locktype = 'advisory'
            AND classid = ${sql.literal(numberLocks)} AND objsubid = 2
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) told`,
    turn: (name, kind = "alone") =>
      sql`${sql.literal(kind === "shared" ? "pg_advisory_xact_lock_shared" : "pg_advisory_xact_lock")}(
        hashtextextended(${name}, 0))`
  }
}

/** The dialect of a client. Databases other than these two are refused when storage is opened. */
export const dialectOf = (client: SqlClient, sql: Template): Dialect =>
  client.onDialectOrElse({ pg: () => postgres(sql), orElse: () => sqlite(sql) })

/** 1 where a condition holds, otherwise 0. Both databases read it as a number. */
export const flag = (sql: Template, condition: Fragment): Fragment => sql`CASE WHEN ${condition} THEN 1 ELSE 0 END`
