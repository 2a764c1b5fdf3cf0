import { createHash } from 'node:crypto'

/** A log is known by how it begins: that stays when it is renamed, packed or copied, and goes when it is emptied. */
export interface LogHead {
  /** So many bytes, unpacked. */
  bytes: number
  /** Their SHA-256, hexadecimal. */
  sha256: string
}

/** So many bytes a head has; fewer where the log had no more when it was first seen. */
export const HEAD_BYTES = 1024
/** What several logs may begin with is shorter: the first record has its time and process in it. */
export const LEAST_HEAD_BYTES = 64

/** The head of a log. @param beginning its first {@link HEAD_BYTES} bytes, or all that it has */
export function headOf(beginning: Buffer): LogHead {
  return { bytes: beginning.length, sha256: sha256(beginning) }
}

/** Whether a log has that head. @param beginning as for {@link headOf} */
export function hasHead(beginning: Buffer, { bytes, sha256: wanted }: LogHead): boolean {
  return beginning.length >= bytes && sha256(beginning.subarray(0, bytes)) === wanted
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
