/** Process ids are smaller: PID_MAX_LIMIT of Linux. */
const PIDS = 2 ** 22
/** 2000-01-01 UTC in seconds: counted from there, a key is exact until 2068. */
const ORIGIN = 946_684_800

/** A session's number; with no start it stands for whatever process has that id. */
export function keyOf(startSeconds: number | undefined, pid: number): number {
  return startSeconds === undefined ? pid : (startSeconds - ORIGIN) * PIDS + pid
}

/**
 * PostgreSQL's session id (`6b076911.30b8`: start in seconds and process id, hexadecimal) as one number, which
 * costs no memory of its own.
 * @returns NaN where the text between `from` and `end` is none
 */
export function sessionKey(text: string, from: number, end: number): number {
  let seconds = 0
  let at = from
  for (; at < end; at += 1) {
    const digit = hexDigit(text.charCodeAt(at))
    if (digit < 0) break
    seconds = seconds * 16 + digit
  }
  if (at === from || at - from > 8 || text.charCodeAt(at) !== 0x2e) return Number.NaN
  const pidFrom = at + 1
  let pid = 0
  for (at = pidFrom; at < end; at += 1) {
    const digit = hexDigit(text.charCodeAt(at))
    if (digit < 0) return Number.NaN
    pid = pid * 16 + digit
  }
  return at === pidFrom || pid >= PIDS ? Number.NaN : keyOf(seconds, pid)
}

/** The process id of a session. */
export function pidOf(key: number): number {
  return ((key % PIDS) + PIDS) % PIDS
}

/** When a session began, in seconds since 1970; undefined where its key does not tell. */
export function startOf(key: number): number | undefined {
  const since = Math.floor(key / PIDS)
  return since === 0 ? undefined : since + ORIGIN
}

/** The session id as PostgreSQL writes it. */
export function formatKey(key: number): string {
  const start = startOf(key)
  return start === undefined
    ? String(pidOf(key))
    : `${start.toString(16)}.${pidOf(key).toString(16)}`
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  return code >= 0x61 && code <= 0x66 ? code - 0x57 : -1
}
