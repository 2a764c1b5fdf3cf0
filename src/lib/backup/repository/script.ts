import { readFile } from 'node:fs/promises'
import { rootFunctions } from '../../host/prepare/script.js'
import type { HostRow } from '../../host/store.js'
import { packagedFile } from '../../packaged-file.js'
import { CONFIGURATION_FOLDER, type RepositoryConfiguration } from './configuration.js'

/** What is done to the configuration of a repository on a machine. */
export type MachineStep =
  /** On the backup machine. */
  | { do: 'configure'; configuration: RepositoryConfiguration; directory: string | undefined }
  /** On a database host, which knows the way to the backup machine and nothing else. */
  | { do: 'point'; backupHost: HostRow }
  | { do: 'put-back' | 'settle' | 'take-out' }

/** The script for root that does a step on a machine; as often as one likes. May hold secrets. */
export async function machineScript(
  host: HostRow,
  number: number,
  step: MachineStep,
): Promise<string> {
  const own = await readFile(packagedFile('backup/repository/machine.sh'), 'utf8')
  const variables = `number=${number} user=${host.username} file=${CONFIGURATION_FOLDER}/cleverctl-repo${number}.conf`
  const lines = [await rootFunctions(), variables, own, ...commandsOf(host, number, step)]
  return `${lines.join('\n')}\n`
}

function commandsOf({ username }: HostRow, number: number, step: MachineStep): string[] {
  switch (step.do) {
    case 'configure': {
      const { configuration, directory } = step
      return [
        'require_free',
        ...(directory ? [`[ -d ${directory} ] || place ${directory} ${username}`] : []),
        ...configuration.files.map(({ path, text }) =>
          heredoc(`replace ${path} 640 root "$group"`, text),
        ),
        heredoc('configure', configuration.text),
      ]
    }
    case 'point': {
      const { address, port, username: user } = step.backupHost
      const lines = ['', `-user=${user}`, `-port=${port}`].map(
        (rest) => `repo${number}-host${rest === '' ? `=${address}` : rest}`,
      )
      return ['require_free', `way_to_backups '${lines.join('\n')}' | configure`]
    }
    case 'put-back':
      return ['put_back']
    case 'settle':
      return ['settle']
    case 'take-out':
      return ['take_out']
  }
}

function heredoc(command: string, text: string): string {
  return `${command} <<'END_OF_TEXT'\n${text.replace(/\n?$/, '\n')}END_OF_TEXT`
}
