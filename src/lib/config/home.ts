import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/**
 * The folder that holds config.json, the key file and the embedded database: `CLEVERCTL_HOME`, else
 * the platform's place for a program's data. It need not exist.
 */
export function homeDirectory(environment: NodeJS.ProcessEnv): string {
  if (environment['CLEVERCTL_HOME']) return resolve(environment['CLEVERCTL_HOME'])
  const user = environment['HOME'] || homedir()
  if (process.platform === 'darwin') {
    return join(user, 'Library', 'Application Support', 'cleverctl')
  }
  if (process.platform === 'win32') {
    return join(environment['LOCALAPPDATA'] || join(user, 'AppData', 'Local'), 'cleverctl')
  }
  return join(environment['XDG_DATA_HOME'] || join(user, '.local', 'share'), 'cleverctl')
}
