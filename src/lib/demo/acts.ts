import { askGate, type GateAddress, type GateAnswer } from './http.js'
import type { LoggerReading, ReferenceLogger } from './logger.js'
import type { Stage } from './stage.js'

/** What came out of one step: what to tell, and whether it came out as said. */
export interface Outcome {
  /** One line: what was seen. */
  seen: string
  passed: boolean
}

/** What later steps need from earlier ones. */
export interface Cast {
  gate?: GateAddress
  logger?: ReferenceLogger
}

/** Creates an installation and issues its API key into key-NNNN.txt, by the last digits of the code. */
export async function createInstallation(stage: Stage, code: string, name: string): Promise<void> {
  await stage.must(
    'installation',
    'create',
    code,
    '--name',
    name,
    '--timezone',
    'Europe/Madrid',
    '--latitude',
    '36.84',
    '--longitude',
    '-2.46',
  )
  await stage.must('api-key', 'issue', code, '--output', stage.path(`key-${code.slice(-4)}.txt`))
}

/** Gives readings of the last seconds, one a second, newest first. */
export function readings(count: number): (now: Date) => LoggerReading[] {
  return (now) =>
    Array.from({ length: count }, (_, index) => ({
      at: new Date(now.getTime() - index * 1_000),
      values: { powerW: 4_200 + index, voltageV: 612.5, temperatureC: 31.2 },
    }))
}

/** Posts one reading after the other until `work` has ended; gives the answers' statuses. */
export async function postUntil(
  work: Promise<unknown>,
  logger: ReferenceLogger,
): Promise<number[]> {
  let isOver = false
  const ended = work.finally(() => (isOver = true))
  const statuses: number[] = []
  while (!isOver) statuses.push((await logger.post(readings(1))).status)
  await ended
  return statuses
}

/** Posts one reading with any key and token, as somebody who has found them would. */
export async function postData(cast: Cast, apiKey: string, token: string): Promise<GateAnswer> {
  return askGate(gateOf(cast), {
    method: 'POST',
    path: '/v1/data',
    headers: { 'x-api-key': apiKey, authorization: `Bearer ${token}` },
    body: { readings: readings(1)(new Date()) },
  })
}

/** Asks for a token as a device of solar-0042; a serial without a secret makes one up. */
export async function askToken(stage: Stage, cast: Cast, serial: string): Promise<GateAnswer> {
  const line = (await stage.read('secrets.csv'))
    .split('\n')
    .find((row) => row.startsWith(`${serial},`))
  return askGate(gateOf(cast), {
    method: 'POST',
    path: '/v1/token',
    headers: { 'x-api-key': await stage.read('key-0042.txt') },
    body: { serial, secret: line?.split(',')[1] ?? 'made-up-by-somebody-who-wants-in-000000000' },
  })
}

/** Compares the answer with what had to come, and looks up what the engineer is told about it. */
export async function refused(
  stage: Stage,
  status: number,
  code: string,
  answer: GateAnswer,
): Promise<Outcome> {
  const told = await lookUpRefusal(stage, code)
  return {
    seen: `outside ${answer.status} ${String(answer.body.error)}; inside ${told ?? 'nothing'}`,
    passed: answer.status === status && told !== undefined,
  }
}

/** Refused arrivals reach the table a moment after the answer; five seconds are ample. */
async function lookUpRefusal(stage: Stage, code: string): Promise<string | undefined> {
  const deadline = Date.now() + 5_000
  while (Date.now() < deadline) {
    const { refusals } = await stage.must('gate', 'refusals', '--since', '1h')
    const rows = Array.isArray(refusals) ? (refusals as { code: string; meaning: string }[]) : []
    const row = rows.find((candidate) => candidate.code === code)
    if (row) return `${row.code}, ${row.meaning}`
  }
  return undefined
}

/** Sightings are written down a moment after the answer; ten seconds are ample. */
export async function untilAdopted(
  stage: Stage,
  code: string,
): Promise<{ adopted: number; devices: number }> {
  const deadline = Date.now() + 10_000
  for (;;) {
    const { installations } = await stage.must('api-key', 'status', code)
    const [status] = installations as { adopted: number; devices: number; grace: unknown[] }[]
    if (status === undefined) throw new Error('the installation has no status')
    if (status.grace.length === 0 || Date.now() > deadline) return status
  }
}

/** The gate that an earlier step started. */
export function gateOf(cast: Cast): GateAddress {
  return cast.gate ?? missing('gate')
}

/** @throws Error always: a step was played before the one it builds on */
export function missing(what: string): never {
  throw new Error(`the story has no ${what} yet`)
}
