import { readFile } from 'node:fs/promises'
import { packagedFile } from '../../../packaged-file.js'

const read = new Map<string, Promise<string>>()

/** One of the shell scripts for OpenWrt, with the functions of `facts.sh` that it stands on. */
export async function openwrtScript(name: 'change.sh' | 'inspect.sh'): Promise<string> {
  const [facts, own] = await Promise.all([readOnce('facts.sh'), readOnce(name)])
  return `${facts}\n${own}`
}

/** A fleet takes the same script thousands of times. */
function readOnce(name: string): Promise<string> {
  const text = read.get(name) ?? readFile(packagedFile(`router/drivers/openwrt/${name}`), 'utf8')
  read.set(name, text)
  return text
}
