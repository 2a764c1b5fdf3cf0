/**
 * A statement that PostgreSQL refused. It names the rule that was broken (code, constraint, table,
 * column) and nothing else: the driver's own error holds row values in `detail`, `where` and even
 * in its message, so it is not kept, not even as `cause`.
 */
export class StatementError extends Error {
  readonly sqlState: string
  readonly constraint: string | undefined
  readonly table: string | undefined
  readonly column: string | undefined

  constructor(broken: {
    sqlState: string
    constraint: string | undefined
    table: string | undefined
    column: string | undefined
  }) {
    const { sqlState, constraint, table, column } = broken
    const place =
      constraint ?? (table !== undefined && column !== undefined ? `${table}.${column}` : table)
    super(
      `the database refused a statement (SQLSTATE ${sqlState}${place === undefined ? '' : `, ${place}`})`,
    )
    this.name = 'StatementError'
    this.sqlState = sqlState
    this.constraint = constraint
    this.table = table
    this.column = column
  }
}
