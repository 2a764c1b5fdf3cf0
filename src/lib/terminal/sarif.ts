import { Flags } from '@oclif/core'
import type { SarifFile } from '../findings/sarif-file.js'

/** For checks whose findings other tools read; see {@link sarifFile}. */
export const sarifFlag = {
  sarif: Flags.string({
    description: 'write the findings to this file as well, for code scanning; replaced if there',
    helpValue: 'FILE',
  }),
}

/** The file that --sarif names; undefined where it was not given. @param version of this program */
export function sarifFile(file: string | undefined, version: string): SarifFile | undefined {
  return file === undefined ? undefined : { file, folder: process.cwd(), version }
}
