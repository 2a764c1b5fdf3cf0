import { rewriteHba } from '../../src/lib/access/hba/change.js'
import { openUrl, silentLog } from './database.js'

// A process that puts a line at the top of pg_hba.conf, and is killed when the server has read it and before its own login
// is tried anew: killed-change.ts URL LINE SECONDS.

const [url = '', line = '', seconds] = process.argv.slice(2)
const database = await openUrl(url, { migrations: 'ignore' })
// Asked when the new login is to go where this one went.
database.pool = async () => {
  process.kill(process.pid, 'SIGKILL')
  return new Promise(() => undefined)
}
await rewriteHba(
  { host: 'db1', database },
  { rewrite: (text) => `${line}\n${text}`, trialSeconds: Number(seconds) },
  { log: silentLog, signal: new AbortController().signal },
)
