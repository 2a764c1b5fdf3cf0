import { extname } from 'node:path'
import { UsageError } from '../../errors.js'
import type { Secret } from '../../secret.js'
import { leftover, openSecretFile, requireFree } from '../../new-secret-file.js'
import type { Workspace } from '../../workspace.js'
import { currentCredential } from '../reveal.js'
import { drawBlocks } from './blocks.js'
import { htmlSheet, svgLabel, type DrawnLabel } from './sheet.js'
import { isReadByAll, wifiUri } from './wifi-uri.js'

/** The forms of a file of labels, by its name's ending; only a sheet takes several. */
const LABEL_FORMATS = ['svg', 'png', 'html'] as const
/** One of {@link LABEL_FORMATS}. */
export type LabelFormat = (typeof LABEL_FORMATS)[number]

/** A label that was made. */
export interface WifiLabel {
  installation: string
  ssid: string
  /** Of the passphrase: a label with another version is out of date. */
  version: number
}

/** The labels that were made. */
export interface WifiLabels {
  labels: WifiLabel[]
  /** The file that holds them; null when they were shown. */
  file: string | null
}

/** Where labels go: into a file made 0600, or line by line to a terminal. */
export type LabelDestination = { file: string } | { show: (lines: readonly string[]) => void }

type Made = WifiLabel & { uri: Secret }

/**
 * Makes labels whose QR code lets a phone join the Wi-Fi of an installation. They hold the passphrase,
 * so the trail takes each down first.
 * @throws NotFoundError where no Wi-Fi is recorded, UsageError for a file that cannot hold them,
 *   ConflictError when it is there already; nothing is in the trail then
 */
export async function makeWifiLabels(
  workspace: Workspace,
  asked: { installations: readonly string[]; destination: LabelDestination },
): Promise<WifiLabels> {
  const { destination } = asked
  const installations = [...new Set(asked.installations)]
  const path = 'file' in destination ? destination.file : undefined
  const format = path === undefined ? undefined : formatOf(path, installations.length)
  if (path !== undefined) {
    await discardLeftover(path)
    await requireFree(path)
  }
  const made: Made[] = []
  for (const installation of installations) made.push(await makeLabel(workspace, installation))
  if (path !== undefined && format !== undefined) await writeLabels(path, format, made)
  else if ('show' in destination) for (const label of made) await showLabel(label, destination)
  const labels = made.map(({ uri: _uri, ...label }) => label)
  return { labels, file: path ?? null }
}

function formatOf(path: string, count: number): LabelFormat {
  const ending = extname(path).slice(1).toLowerCase()
  const format = LABEL_FORMATS.find((each) => each === ending)
  if (format === undefined)
    throw new UsageError('bad-format', `${path} ends in none of .${LABEL_FORMATS.join(', .')}`)
  if (count > 1 && format !== 'html')
    throw new UsageError(
      'bad-format',
      `a .${format} file holds one label; several go on a .html sheet`,
    )
  return format
}

async function makeLabel(workspace: Workspace, installation: string): Promise<Made> {
  const { secret, name, version } = await currentCredential(workspace, {
    installation,
    kind: 'wifi',
    action: 'router.qr',
    details: {},
  })
  if (!isReadByAll(name, secret))
    workspace.log.warn(
      `${installation}: name or passphrase hold characters that some phones read differently in a QR code`,
    )
  return { installation, ssid: name, version, uri: wifiUri(name, secret) }
}

/** The same labels are made anew, so what an interrupted run left is of no use. */
async function discardLeftover(path: string): Promise<void> {
  const left = await leftover(path)
  if (left === undefined) return
  try {
    await left.discard()
  } finally {
    await left.close()
  }
}

async function writeLabels(
  path: string,
  format: LabelFormat,
  made: readonly Made[],
): Promise<void> {
  const content = await contentOf(format, made)
  const file = await openSecretFile(path)
  try {
    await file.write(content)
    await file.publish()
  } catch (error) {
    await file.discard()
    throw error
  }
  await file.finish()
}

async function contentOf(format: LabelFormat, made: readonly Made[]): Promise<string | Buffer> {
  const { default: qrcode } = await import('qrcode')
  const [first] = made
  if (format === 'png') return qrcode.toBuffer(first?.uri.reveal() ?? '', { scale: 8 })
  const drawn: DrawnLabel[] = []
  for (const { uri, ...label } of made)
    drawn.push({ ...label, svg: await qrcode.toString(uri.reveal(), { type: 'svg' }) })
  return format === 'html' ? htmlSheet(drawn) : drawn.map(svgLabel).join('')
}

async function showLabel(
  { uri, installation, ssid }: Made,
  { show }: { show: (lines: readonly string[]) => void },
): Promise<void> {
  const { default: qrcode } = await import('qrcode')
  const { modules } = qrcode.create(uri.reveal(), {})
  const isDark = (row: number, column: number) => modules.get(row, column) !== 0
  show([...drawBlocks({ size: modules.size, isDark }), `${installation}: ${ssid}`])
}
