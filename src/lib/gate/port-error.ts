import { ConflictError, UsageError } from '../errors.js'

/** What it means to the user that a port could not be listened on. */
export function portError(
  error: NodeJS.ErrnoException,
  address: string,
  port: number,
  flag = '--port',
): Error {
  const { code } = error
  const place = `${address}:${port}`
  if (code === 'EADDRINUSE') {
    return new ConflictError('port-in-use', `something listens on ${place} already`, {
      suggestions: [`give another one with ${flag}`],
    })
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new UsageError('cannot-listen', `this machine cannot listen on ${place} (${code})`)
  }
  return error
}
