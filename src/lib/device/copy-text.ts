import type { DeviceRow } from './row.js'
import { deviceSecretDigestHex, type SecretMint } from './secret.js'

/** Rows handed over at a time, some 120 KiB: the server is kept busy while the next are made. */
const PIECE_ROWS = 1000

/**
 * Makes a secret for each device; gives the devices as COPY text with the digests, and writes the
 * secrets beside it as CSV.
 * @param secrets takes `serial,secret` lines; in a dry run it is absent and no secret is made
 */
export async function* copyText(
  devices: readonly DeviceRow[],
  mint: SecretMint,
  secrets: { write(lines: Buffer): Promise<void> } | undefined,
): AsyncGenerator<string> {
  for (let start = 0; start < devices.length; start += PIECE_ROWS) {
    let text = ''
    let lines = ''
    for (const { serial, model, batch, manufacturedAtSql } of devices.slice(
      start,
      start + PIECE_ROWS,
    )) {
      let digest = ''
      if (secrets) {
        const secret = mint.next()
        digest = deviceSecretDigestHex(secret)
        lines += `${serial},${secret}\n`
      }
      text += `${serial}\t${escaped(model)}\t${escaped(batch)}\t${manufacturedAtSql}\t\\\\x${digest}\n`
    }
    // A secret and a serial are ASCII.
    await secrets?.write(Buffer.from(lines, 'latin1'))
    yield text
  }
}

/** COPY's escape character; tabs and line breaks no model or batch may hold. */
function escaped(label: string): string {
  return label.includes('\\') ? label.replaceAll('\\', '\\\\') : label
}
