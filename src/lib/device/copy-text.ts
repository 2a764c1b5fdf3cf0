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
 * secrets for the file, which stand in the order of `devices`. Where serials do not ascend, the rows
 * for COPY are sorted and come in one piece: then the server finds neighbours of the index together.
 * @param isReal false for a dry run, which makes no secrets
 */
export function* copyText(
  devices: readonly DeviceRow[],
  mint: SecretMint,
  isReal: boolean,
): Generator<CopyPiece> {
  const isSorted = isAscending(devices)
  const pieceRows = isSorted ? PIECE_ROWS : devices.length
  for (let start = 0; start < devices.length; start += pieceRows) {
    const rows: string[] = []
    let lines = ''
    for (const device of devices.slice(start, start + pieceRows)) {
      let digest = ''
      if (isReal) {
        const secret = mint.next()
        digest = deviceSecretDigestHex(secret)
        lines += `${device.serial},${secret}\n`
      }
      rows.push(
        `${device.serial}\t${escaped(device.model)}\t${escaped(device.batch)}\t${device.manufacturedAtSql}\t\\\\x${digest}\n`,
      )
    }
    // A row begins with its serial, and the tab after it comes before every character of a serial.
    if (!isSorted) rows.sort()
    // A secret and a serial are ASCII.
    yield { copy: rows.join(''), lines: Buffer.from(lines, 'latin1') }
  }
}

function isAscending(devices: readonly DeviceRow[]): boolean {
  let last = ''
  return devices.every(({ serial }) => {
    const isNext = serial > last
    last = serial
    return isNext
  })
}

/** COPY's escape character; tabs and line breaks no model or batch may hold. */
function escaped(label: string): string {
  return label.includes('\\') ? label.replaceAll('\\', '\\\\') : label
}
