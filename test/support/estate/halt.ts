import type { Halt } from '../halt.js'
import type { Machine } from './machine.js'

const SAYS = '/tmp/halt'

/**
 * Lets a program of a machine stand still where it is called with `word` among its arguments.
 * @param folder where programs are looked for before the one of the system
 */
export async function haltProgram(
  machine: Machine,
  program: { path: string; folder: string },
  word: string,
): Promise<Halt> {
  const { path, folder } = program
  const name = path.slice(path.lastIndexOf('/') + 1)
  // Where nobody looks elsewhere first, it takes the place of the program.
  const isInPlace = path.startsWith(`${folder}/`)
  const real = isInPlace ? `${path}.real` : path
  if (isInPlace) await machine.script(`[ -e ${real} ] || mv ${path} ${real}`)
  const wrapper = `#!/bin/sh
if [ -e ${SAYS} ]; then
  case "$*" in *"$(cat ${SAYS})"*)
    : >${SAYS}.reached
    while [ -e ${SAYS} ]; do sleep 0.05; done ;;
  esac
fi
exec ${real} "$@"
`
  await machine.write(`${folder}/${name}`, wrapper, 'root', '755')
  await machine.write(SAYS, word)
  return {
    reached: async () => {
      await machine.script(`until [ -e ${SAYS}.reached ]; do sleep 0.05; done`)
    },
    release: async () => {
      await machine.script(`rm -f ${SAYS} ${SAYS}.reached`)
    },
  }
}
