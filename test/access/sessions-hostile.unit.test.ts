import { deepEqual, equal, ok } from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { SessionJoin, type JoinState } from '../../src/lib/access/sessions/join.js'
import { LogFeed, type LogPoint } from '../../src/lib/access/sessions/read-log.js'
import type { SeenSession } from '../../src/lib/access/sessions/types.js'

const PREFIX = '%m [%p] %c %l %q%u@%d '
const MEBIBYTE = 1024 * 1024

interface Entry {
  line: number
  message: string
  user?: string
  severity?: string
  display?: string
  transaction?: string
  statement?: string
}

const TIME = '2026-11-25 23:02:41.351 UTC'
const START = '2026-11-25 23:02:41 UTC'
const ID = '6b076911.30b8'

const asJson = ({
  line,
  message,
  user,
  severity = 'LOG',
  display = 'authentication',
  transaction,
  statement,
}: Entry) =>
  `${JSON.stringify({
    timestamp: TIME,
    ...(user === undefined ? {} : { user, dbname: 'fleet' }),
    ...{
      pid: 12472,
      remote_host: '10.0.0.1',
      session_id: ID,
      line_num: line,
      ps: display,
      session_start: START,
    },
    ...{
      vxid: transaction,
      txid: 0,
      error_severity: severity,
      message,
      statement,
      backend_type: 'client backend',
    },
  })}\n`

const asCsv = ({
  line,
  message,
  user,
  severity = 'LOG',
  display = 'authentication',
  transaction,
  statement,
}: Entry) => {
  const quote = (text: string | undefined) =>
    text === undefined ? '' : `"${text.replaceAll('"', '""')}"`
  const names = user === undefined ? ',' : `${quote(user)},"fleet"`
  const rest = `,,,,,${quote(statement)},,,"psql","client backend",,0`
  return `${TIME},${names},12472,"10.0.0.1:5",${ID},${line},${quote(display)},${START},${transaction ?? ''},0,${severity},00000,${quote(message)},${rest}\n`
}

const asText = ({ line, message, user, severity = 'LOG' }: Entry) =>
  `${TIME} [12472] ${ID} ${line} ${user ?? '[unknown]'}@${user === undefined ? '[unknown]' : 'fleet'} ${severity}:  ${message.replaceAll('\n', '\n\t')}\n`

const FORMS = { json: asJson, csv: asCsv, log: asText }
type Form = keyof typeof FORMS

const RECEIVED: Entry = {
  line: 1,
  message: 'connection received: host=10.0.0.1 port=5',
  display: '',
}
const AUTHENTICATED: Entry = {
  line: 2,
  message: 'connection authenticated: identity="bob" method=scram-sha-256 (/etc/pg_hba.conf:4)',
  user: 'bob',
}
const AUTHORIZED: Entry = {
  line: 3,
  message: 'connection authorized: user=bob database=fleet application_name=psql',
  user: 'bob',
}
const ENDED: Entry = {
  line: 5,
  message: 'disconnection: session time: 0:00:01.000 user=bob database=fleet host=10.0.0.1 port=5',
  user: 'bob',
  display: 'idle',
}
const LIE = 'connection authorized: user=alice database=fleet application_name=psql'

async function read(form: Form, chunks: Iterable<Buffer>) {
  const sessions: SeenSession[] = []
  const join = new SessionJoin('db1', (session) => sessions.push(session))
  const feed = new LogFeed({ name: `pg.${form}`, prefix: PREFIX }, join)
  for (const chunk of chunks) feed.take(chunk)
  feed.finish()
  join.finish()
  return { sessions, doubts: join.takeDoubts(), records: join.records }
}

/** Reads to a byte, and what is left by a reader and a join of their own, which have the JSON of the first ones. */
function readInTwo(form: Form, chunks: () => Iterable<Buffer>, at: number) {
  const sessions: SeenSession[] = []
  const kind = { name: `pg.${form}`, prefix: PREFIX }
  const give = (session: SeenSession) => sessions.push(session)
  const first = new SessionJoin('db1', give)
  const feed = new LogFeed(kind, first)
  for (const chunk of between(chunks(), 0, at)) feed.take(chunk)
  const kept = JSON.stringify([feed.point(), first.state()])
  const [point, state] = JSON.parse(kept) as [LogPoint, JoinState]
  const join = new SessionJoin('db1', give, state)
  const rest = new LogFeed(kind, join, point)
  for (const chunk of between(chunks(), point.offset, Infinity)) rest.take(chunk)
  rest.finish()
  join.finish()
  const doubts = first.takeDoubts() + join.takeDoubts()
  return { told: { sessions, doubts, records: join.records }, keptBytes: kept.length }
}

function* between(chunks: Iterable<Buffer>, from: number, to: number): Generator<Buffer> {
  let at = 0
  for (const chunk of chunks) {
    const piece = chunk.subarray(Math.max(0, from - at), Math.max(0, to - at))
    if (piece.length > 0) yield piece
    at += chunk.length
    if (at >= to) return
  }
}

const cut = function* (bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

for (const form of ['json', 'csv', 'log'] as const) {
  const write = FORMS[form]
  const whole = (middle: string) =>
    [RECEIVED, AUTHENTICATED, AUTHORIZED].map(write).join('') + middle + write(ENDED)
  const statement = (text: string) =>
    write({
      line: 4,
      message: `statement: ${text}`,
      user: 'bob',
      display: 'SELECT',
      transaction: '3/1',
      statement: text,
    })

  describe(`hostile logs in ${form}`, () => {
    it('give the same however they are cut into pieces', async () => {
      const text = whole(statement(`select '\n${write({ ...AUTHORIZED, message: LIE })}\n"'`))
      for (const size of [1, 2, 3, 7, 64, 1000]) {
        const { sessions, doubts } = await read(form, cut(Buffer.from(text), size))
        equal(doubts, 0, `pieces of ${size}`)
        deepEqual(
          sessions.map(({ role, outcome, marks }) => [role, outcome, marks]),
          [['bob', 'ended', []]],
        )
      }
    })

    it('give the same when reading stops anywhere and another reader goes on', async () => {
      const hostile = statement(`select '\0\n${write({ ...AUTHORIZED, message: LIE })}\n"'`)
      const broken = Buffer.from([0xff, 0xfe, 0x0a])
      const text = Buffer.concat([Buffer.from(whole(hostile)), broken, Buffer.from(whole(''))])
      const expected = await read(form, [text])
      for (let at = 0; at <= text.length; at += 17)
        deepEqual(readInTwo(form, () => [text], at).told, expected, `after ${at} bytes`)
      const long = Buffer.from(whole(statement('x'.repeat(3 * MEBIBYTE))))
      for (const at of [0.5, 1.5, 2.5, 3]) {
        const { sessions } = readInTwo(form, () => [long], at * MEBIBYTE).told
        deepEqual(
          sessions.map(({ role, outcome }) => [role, outcome]),
          [['bob', 'ended']],
          `after ${at} MiB`,
        )
      }
    })

    it('are read on after a record of 100 MB that two readings share, in bounded memory', async () => {
      const lie = `\n${write({ ...AUTHORIZED, message: LIE })}`
      const block = Buffer.from(
        `${lie}${'x'.repeat(1000)}`
          .repeat(200)
          .replaceAll('\n', form === 'csv' ? '\n' : '\\n')
          .replaceAll('"', form === 'json' ? '\\"' : '""'),
      )
      const [head = '', tail = ''] = statement('MIDDLE').split('MIDDLE').slice(-2)
      const before = whole('SPLIT').split('SPLIT')
      const first =
        form === 'log'
          ? head
          : statement('MIDDLE').slice(0, statement('MIDDLE').lastIndexOf('MIDDLE'))
      global.gc?.()
      let most = 0
      const chunks = function* () {
        yield Buffer.from(`${before[0]}${first}`)
        for (let size = 0; size < 100 * MEBIBYTE; size += block.length) {
          most = Math.max(most, process.memoryUsage().heapUsed + process.memoryUsage().external)
          yield block
        }
        yield Buffer.from(`${tail}${before[1]}`)
      }
      const start = process.memoryUsage().heapUsed + process.memoryUsage().external
      const { told, keptBytes } = readInTwo(form, chunks, 50 * MEBIBYTE)
      deepEqual(
        told.sessions.map(({ role, outcome }) => [role, outcome]),
        [['bob', 'ended']],
      )
      ok(keptBytes < 2 * MEBIBYTE, `${keptBytes} bytes are kept between them`)
      ok(most - start < 100 * MEBIBYTE, `${((most - start) / MEBIBYTE).toFixed(0)} MiB more`)
    })

    it('with half a line in the middle are read on', async () => {
      const half = statement('select 1').slice(0, -20)
      const { sessions } = await read(form, [
        Buffer.from(`${half}${whole('')}${statement('"')}${whole('')}`),
      ])
      ok(sessions.some(({ role, outcome }) => role === 'bob' && outcome === 'ended'))
      ok(sessions.every(({ role }) => role === 'bob' || role === null))
    })

    it('that begin in the middle of a record give no wrong person', async () => {
      const text = statement(`select '\n${write({ ...AUTHORIZED, message: LIE })}\n' "`) + whole('')
      for (let from = 0; from < text.length; from += 3) {
        const { sessions } = await read(form, [Buffer.from(text.slice(from))])
        ok(
          sessions.every(({ role }) => role === 'bob' || role === null),
          `from ${from}`,
        )
      }
    })

    it('of any bytes at all crash nothing', async () => {
      const bytes = Buffer.from(whole(statement('select 1')))
      for (let round = 0; round < 200; round += 1) {
        const noise = randomBytes(8)
        const at = noise.readUInt32LE(0) % bytes.length
        const broken = Buffer.concat([
          bytes.subarray(0, at),
          noise,
          Buffer.from('\n\0"\r'),
          bytes.subarray(at),
        ])
        const { sessions } = await read(form, cut(broken, 50))
        ok(sessions.every(({ role }) => role !== 'alice'))
      }
      await read(form, [randomBytes(MEBIBYTE)])
    })

    it('in which a user raises records of their own keep to what PostgreSQL wrote', async () => {
      const raised = (message: string) =>
        write({ line: 4, message, user: 'bob', display: 'DO', transaction: '3/1' })
      for (const message of [LIE, RECEIVED.message, ENDED.message]) {
        const { sessions } = await read(form, [Buffer.from(whole(raised(message)))])
        deepEqual(
          sessions.map(({ role, outcome, marks }) => [
            role,
            outcome,
            marks.filter((mark) => mark !== 'line-gap'),
          ]),
          [['bob', 'ended', ['forged-record']]],
          message,
        )
      }
    })
  })
}

describe('a csvlog that begins in the middle of a value', () => {
  it('has no record where a client wrote one without quotes', async () => {
    const lie = `${TIME},bob,fleet,12472,x,${ID},9,SELECT,${START},,0,LOG,00000,${LIE},,,,,,,,,psql,client backend,,0`
    const records = [RECEIVED, AUTHENTICATED, AUTHORIZED, ENDED].map(asCsv).join('')
    const tail = `${lie}\n'",,,"psql","client backend",,0\n`
    for (const before of ['', "select '\n"]) {
      const { records: count } = await read('csv', [Buffer.from(`${before}${tail}${records}`)])
      equal(count, 4)
    }
  })
})

describe('names in the prefix of a log of stderr', () => {
  it('with a line break make what follows uncertain, as far as a name reaches', async () => {
    const id = '6b076911.30b9'
    const forged = `${TIME} [12473] ${id} 2 x\n${TIME} [12472] ${ID} 3 a@b LOG:  ${LIE}@fleet FATAL:  role "x" does not exist\n`
    const text =
      [RECEIVED, AUTHENTICATED].map(asText).join('') +
      forged +
      [AUTHORIZED, ENDED].map(asText).join('')
    const { sessions, doubts } = await read('log', [Buffer.from(text)])
    ok(doubts > 0)
    ok(sessions.every(({ role }) => role === 'bob'))
  })

  it('that hold the beginning of another record are not read', async () => {
    const text = `${asText(RECEIVED)}${TIME} [12472] ${ID} 3 x@y LOG:  connection authorized: user=alice database=fleet@fleet LOG:  connection authorized: user=x database=fleet\n`
    const { sessions, doubts } = await read('log', [Buffer.from(text)])
    ok(doubts > 0)
    deepEqual(
      sessions.map(({ role, outcome }) => [role, outcome]),
      [[null, 'probe']],
    )
  })
})
