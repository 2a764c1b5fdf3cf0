/** Who did it, as the trail records it. The database role is added by the database itself. */
export interface Actor {
  /** The operating system's user name. */
  osUser: string
  /** The machine's host name. */
  host: string
  /** The CI job that ran the command, e.g. `github:owner/repo:run`; undefined outside CI. */
  ciJob: string | undefined
}
