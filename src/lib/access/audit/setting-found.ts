import { quoteLiteral, type Found } from './types.js'

/** A finding about a setting. @param better its right value as SQL; @param needsRestart a reload is not enough */
export function foundSetting(
  name: string,
  value: string,
  finding: { evidence: string; better: string; needsRestart?: boolean },
): Found {
  const { evidence, better, needsRestart = false } = finding
  const then = needsRestart ? 'then restart the server' : 'select pg_reload_conf()'
  return {
    subject: `setting ${name}`,
    role: null,
    evidence,
    fix: `alter system set ${name} = ${better}; ${then}`,
    undo: `alter system set ${name} = '${value.replaceAll("'", "''")}'; ${then}`,
  }
}

/**
 * A finding about a library that a server does not load. The fix keeps those that it loads, each in quotes of its own:
 * in one pair of quotes PostgreSQL takes them all for one name, and does not start any more.
 * @param then what else is to be set, as SQL; PostgreSQL knows the settings of a library that is loaded alone
 */
export function foundLibrary(
  settings: ReadonlyMap<string, string>,
  library: string,
  { evidence, then }: { evidence: string; then?: string },
): Found {
  const loaded = namedLibraries(settings)
  const load = (names: readonly string[]) => {
    const value = names.map(quoteLiteral).join(', ')
    const change = names.length === 0 ? 'reset' : 'set'
    return `alter system ${change} shared_preload_libraries${value && ` = ${value}`}; then restart the server`
  }
  return {
    subject: 'setting shared_preload_libraries',
    role: null,
    evidence,
    fix: `${load([...loaded, library])}${then ? `; ${then}; select pg_reload_conf()` : ''}`,
    undo: load(loaded),
  }
}

/** The libraries that a server loads when it starts. */
export function loadedLibraries(settings: ReadonlyMap<string, string>): string[] {
  return namedLibraries(settings).map((name) => name.split('/').at(-1) ?? '')
}

/** The same as they are named there, some with a folder. */
function namedLibraries(settings: ReadonlyMap<string, string>): string[] {
  const text = settings.get('shared_preload_libraries') ?? ''
  const names = text.split(',').map((name) => name.trim().replaceAll('"', ''))
  return names.filter((name) => name !== '')
}

/** Whether pgaudit logs a class of statements: the last word about it in pgaudit.log decides. */
export function isAudited(settings: ReadonlyMap<string, string>, name: string): boolean {
  const words = (settings.get('pgaudit.log') ?? '').toLowerCase().split(',')
  const last = words
    .map((word) => word.trim())
    .findLast((word) => ['all', 'none', name, `-${name}`, '-all'].includes(word))
  return last === 'all' || last === name
}

/** Whether a server takes connections over the network at all. */
export function isListening(settings: ReadonlyMap<string, string>): boolean {
  return settings.get('listen_addresses') !== ''
}
