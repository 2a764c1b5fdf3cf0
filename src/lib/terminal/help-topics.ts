import { ExitCode } from '../errors.js'

/** A name and what it means, as help lists it. */
export interface HelpEntry {
  name: string
  meaning: string
}

/** Help about something that is no command. */
export interface HelpTopic {
  summary: string
  /** Paragraphs, one line each. */
  text: string
  entries: readonly HelpEntry[]
}

const EXIT_CODE_MEANINGS: Record<keyof typeof ExitCode, string> = {
  ok: 'done, or nothing to do',
  failure: 'failed, or a check could not be carried out',
  usage: 'wrong usage or bad input; nothing was changed',
  partial: 'some targets failed; the result says which',
  refused: 'refused: not allowed, or a wrong credential or key',
  notFound: 'the named object does not exist',
  conflict: 'the state of things forbids it, or somebody else holds the lock',
  unreachable: 'a machine or the database could not be reached',
  findings: 'a check was carried out and found something',
  bug: 'a fault in cleverctl itself',
  interrupted: 'interrupted by Ctrl-C (SIGINT)',
  terminated: 'asked to end (SIGTERM)',
}

/** What `cleverctl help TOPIC` knows beside the commands. */
export const HELP_TOPICS: Readonly<Record<string, HelpTopic>> = {
  'exit-codes': {
    summary: 'what a command answers with to the shell',
    text: 'Every command ends with one of these, with and without --json. A number that is not listed is to be treated as a failure.',
    entries: Object.entries(EXIT_CODE_MEANINGS).map(([name, meaning]) => ({
      name: String(ExitCode[name as keyof typeof ExitCode]),
      meaning,
    })),
  },
  environment: {
    summary: 'every variable that is read',
    text: 'A flag wins over its variable, and a variable over config.json. An empty variable counts as not set.',
    entries: [
      {
        name: 'CLEVERCTL_HOME',
        meaning:
          'folder of config.json, the key file and the embedded database; without it cleverctl in XDG_DATA_HOME, which is ~/.local/share where not set',
      },
      { name: 'CLEVERCTL_PROFILE', meaning: 'profile to use, like --profile' },
      { name: 'CLEVERCTL_DATABASE_URL', meaning: 'PostgreSQL to use instead of the embedded one' },
      {
        name: 'CLEVERCTL_DATABASE_URL_FILE',
        meaning: 'file, open to you alone, that holds that URL',
      },
      {
        name: 'CLEVERCTL_KEYRING_FILE',
        meaning: 'key file to use instead of the one in CLEVERCTL_HOME',
      },
      {
        name: 'CLEVERCTL_KEYRING_PASSPHRASE_FILE',
        meaning: 'file, open to you alone, with the passphrase of a keyring that has one',
      },
      {
        name: 'CLEVERCTL_POSTGRES_BIN',
        meaning: 'folder of the PostgreSQL programs that the embedded database runs',
      },
      {
        name: 'CLEVERCTL_SSH_IDENTITY',
        meaning:
          'private key, open to you alone, with which jump hosts are entered; without it the ssh-agent',
      },
      { name: 'SSH_AUTH_SOCK', meaning: 'the ssh-agent' },
      { name: 'CLEVERCTL_CONTENT_TYPE', meaning: 'json: every command behaves as with --json' },
      {
        name: 'PGHOST, PGPORT, PGUSER, PGDATABASE',
        meaning: 'the server, as in libpq; PGHOST selects it unless a profile was named',
      },
      {
        name: 'PGPASSFILE, PGPASSWORD',
        meaning: 'its password, as in libpq; the file is the safer place',
      },
      {
        name: 'PGSSLMODE, PGSSLROOTCERT, PGSSLCERT, PGSSLKEY',
        meaning: 'TLS to the server, as in libpq',
      },
      {
        name: 'PGCONNECT_TIMEOUT, PGAPPNAME, PGOPTIONS, PGTARGETSESSIONATTRS',
        meaning: 'the connection, as in libpq',
      },
      {
        name: 'NO_COLOR, FORCE_COLOR, TERM',
        meaning: 'NO_COLOR and TERM=dumb turn colour off; FORCE_COLOR turns it on in a terminal',
      },
      { name: 'CI', meaning: 'set by CI services: no questions and no colour' },
      {
        name: 'GITHUB_RUN_ID, GITHUB_REPOSITORY, CI_JOB_ID, CI_PROJECT_PATH, BUILD_URL',
        meaning: 'name the CI job in the trail',
      },
      { name: 'GITHUB_ENV', meaning: 'the file that --deliver github-env appends to' },
    ],
  },
  config: {
    summary: 'profiles and config.json',
    text: [
      'config.json in CLEVERCTL_HOME names the databases you work with. Without the file there is one profile, default, with the embedded database. cleverctl init writes the file, profile list shows them, profile use chooses one.',
      'The profile in use is the one named by --profile, else by CLEVERCTL_PROFILE, else currentProfile. Every command that changes something says on stderr which one it is.',
      'A password belongs into the file named by PGPASSFILE. When a URL in config.json holds one, the file is refused unless it is open to you alone.',
      'Example: {"currentProfile": "production", "profiles": {"production": {"database": {"mode": "server", "url": "postgres://cleverctl@db.example.com/cleverctl?sslmode=verify-full"}, "keyring": {"provider": "file", "file": "/etc/cleverctl/keyring.json"}}}}',
    ].join('\n'),
    entries: [
      { name: 'currentProfile', meaning: 'name of the profile to use when none is named' },
      { name: 'profiles.NAME.database.mode', meaning: 'embedded, or server' },
      { name: 'profiles.NAME.database.url', meaning: 'postgres:// URL of a server' },
      { name: 'profiles.NAME.keyring.provider', meaning: 'file, or passphrase' },
      {
        name: 'profiles.NAME.keyring.file',
        meaning: 'key file; a relative path begins in CLEVERCTL_HOME',
      },
    ],
  },
}
