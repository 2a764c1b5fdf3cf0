import type { DeviceRow } from './row.js'
import { deviceSecretDigestHex, type SecretMint } from './secret.js'

/** Some devices on their way into the database and the secrets file. */
export interface CopyPiece {
  /** COPY text: serial, model, batch, manufactured_at, secret_sha256. */
  copy: string
  /** CSV: serial, secret. Empty in a dry run. */
  lines: Buffer
}

/** Rows handed over at a time, some 120 KiB: the server is kept busy while the next are made. */
const PIECE_ROWS = 1000

/**
 * Makes a secret for each device; gives the devices with their digests for COPY and beside them the
 * secrets for the file.
 * @param isReal false for a dry run, which makes no secrets
 */
export function* copyText(
  devices: readonly DeviceRow[],
  mint: SecretMint,
  isReal: boolean,
): Generator<CopyPiece> {
  for (let start = 0; start < devices.length; start += PIECE_ROWS) {
    let copy = ''
    let lines = ''
    for (const device of devices.slice(start, start + PIECE_ROWS)) {
      let digest = ''
      if (isReal) {
        const secret = mint.next()
        digest = deviceSecretDigestHex(secret)
        lines += `${device.serial},${secret}\n`
      }
      copy += `${device.serial}\t${escaped(device.model)}\t${escaped(device.batch)}\t${device.manufacturedAtSql}\t\\\\x${digest}\n`
    }
    // A secret and a serial are ASCII.
    yield { copy, lines: Buffer.from(lines, 'latin1') }
  }
}

/** COPY's escape character; tabs and line breaks no model or batch may hold. */
function escaped(label: string): string {
  return label.includes('\\') ? label.replaceAll('\\', '\\\\') : label
}
