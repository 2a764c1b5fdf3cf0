import type { Found } from './types.js'

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

/** The libraries that a server loads when it starts. */
export function loadedLibraries(settings: ReadonlyMap<string, string>): string[] {
  const text = settings.get('shared_preload_libraries') ?? ''
  return text.split(',').map((name) => name.trim().replaceAll('"', '').split('/').at(-1) ?? '')
}

/** Whether a server takes connections over the network at all. */
export function isListening(settings: ReadonlyMap<string, string>): boolean {
  return settings.get('listen_addresses') !== ''
}
