import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { quietEnvironment, runAside } from './measure.js'

const CONNECTIONS = 64
const SECONDS = 8

/** What wrk saw. */
export interface Load {
  requestsPerSecond: number
  p99Ms: number
  /** Answers that were neither 2xx nor 3xx, and socket errors. */
  failed: number
}

/**
 * Loads one route over keep-alive HTTPS connections from the second core for a bounded time.
 * `tokens` are sent in turn; for `data` each request carries a reading of its own time, counted from
 * `firstReading` in milliseconds.
 */
export async function load(
  directory: string,
  target: {
    port: number
    route: 'authorize' | 'data'
    apiKey: string
    tokens: readonly string[]
    firstReading: Date
    /** Which cores may make the load, as taskset takes them; the second where absent. */
    cores?: string
  },
): Promise<Load> {
  const script = join(directory, `${target.route}.lua`)
  writeFileSync(script, target.route === 'data' ? dataScript(target) : authorizeScript(target), {
    mode: 0o600,
  })
  const done = await runAside(
    [
      'taskset',
      '-c',
      target.cores ?? '1',
      'wrk',
      '-t1',
      `-c${CONNECTIONS}`,
      `-d${SECONDS}s`,
      '--latency',
      '-s',
      script,
      `https://127.0.0.1:${target.port}`,
    ],
    { env: quietEnvironment() },
  )
  if (done.code !== 0) throw new Error(`wrk ended with ${done.code}: ${done.stderr}`)
  const [rps = 'NaN', p99 = 'NaN', failed = 'NaN'] =
    /^result (\S+) (\S+) (\S+)$/m.exec(done.stdout)?.slice(1) ?? []
  return { requestsPerSecond: Number(rps), p99Ms: Number(p99), failed: Number(failed) }
}

/** How the load is made, for the report. */
export const loadMethod = `wrk, ${CONNECTIONS} keep-alive connections for ${SECONDS} s on core 1, server pinned to core 0, PostgreSQL on both`

const REPORT = `
done = function(summary, latency)
  local errors = summary.errors
  local failed = errors.status + errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format("result %.1f %.2f %d\\n", summary.requests / (summary.duration / 1e6), latency:percentile(99) / 1000, failed))
end
`

function credentials(target: { apiKey: string; tokens: readonly string[] }): string {
  const tokens = target.tokens.map((token) => `"Bearer ${token}"`).join(',\n')
  return `local tokens = {${tokens}}\nlocal key = "${target.apiKey}"\nlocal count = 0\n`
}

function authorizeScript(target: { apiKey: string; tokens: readonly string[] }): string {
  return `${credentials(target)}
request = function()
  count = count + 1
  return wrk.format("GET", "/v1/authorize", {["X-API-Key"] = key, ["Authorization"] = tokens[count % #tokens + 1]})
end
${REPORT}`
}

function dataScript(target: {
  apiKey: string
  tokens: readonly string[]
  firstReading: Date
}): string {
  const base = Math.floor(target.firstReading.getTime() / 1000)
  return `${credentials(target)}
local base = ${base}
request = function()
  count = count + 1
  local at = os.date("!%Y-%m-%dT%H:%M:%S", base + math.floor(count / 1000)) .. string.format(".%03dZ", count % 1000)
  local body = '{"readings":[{"at":"' .. at .. '","values":{"powerW":4210.5,"energyWh":1834021,"voltageV":612.5,"currentA":6.87,"frequencyHz":50.01,"temperatureC":31.2,"irradianceWm2":812.4,"efficiency":0.973}}]}'
  return wrk.format("POST", "/v1/data", {["X-API-Key"] = key, ["Authorization"] = tokens[count % #tokens + 1], ["Content-Type"] = "application/json"}, body)
end
${REPORT}`
}
