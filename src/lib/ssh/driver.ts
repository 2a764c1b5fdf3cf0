/**
 * The driver of SSH, which takes long to load. Whoever is going to connect calls it before something that has to be
 * waited for.
 */
export async function loadDriver(): Promise<typeof import('ssh2')> {
  return (await import('ssh2')).default
}
