import { inFreshHome, type FreshHome } from './home.js'
import { median, runAside, runOnce, type Chapter, type Figure } from './measure.js'

const ROUNDS = 5
const AT_ONCE = 10
const FIRST_USE_BAR_MS = 4_000

/** First use of an embedded home (initdb, start, migrations), and ten first uses of one home at once. */
export async function measureEmbedded(program: readonly string[]): Promise<Chapter> {
  const figures: Figure[] = [await firstUse('first use', program, {})]
  if (process.getuid?.() === 0) {
    const id = (flag: string) => Number(runOnce(['id', flag, 'nobody']).stdout)
    figures.push(
      await firstUse('first use as a plain user', program, { uid: id('-u'), gid: id('-g') }),
    )
  }
  figures.push(await tenAtOnce(program))
  return {
    title: 'Embedded database',
    method: `\`device list\` on an empty home, median of ${ROUNDS}; then ${AT_ONCE} of them at once on one empty home.`,
    figures,
  }
}

async function firstUse(
  what: string,
  program: readonly string[],
  account: { uid?: number; gid?: number },
): Promise<Figure> {
  const times: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const first = async ({ env }: FreshHome) => {
      const done = await runAside([...program, 'device', 'list', '--json'], { env, ...account })
      if (done.code !== 0) throw new Error(`${what} failed: ${done.stderr}`)
      times.push(done.ms)
    }
    await inFreshHome(program, first, account)
  }
  const ms = median(times)
  return {
    what,
    figure: `${(ms / 1000).toFixed(2)} s (slowest ${(Math.max(...times) / 1000).toFixed(2)} s)`,
    bar: { text: 'under 4 s', reached: Math.max(...times) < FIRST_USE_BAR_MS },
  }
}

async function tenAtOnce(program: readonly string[]): Promise<Figure> {
  return inFreshHome(program, async ({ env }) => {
    const start = performance.now()
    const all = await Promise.all(
      Array.from({ length: AT_ONCE }, () =>
        runAside([...program, 'device', 'list', '--json'], { env }),
      ),
    )
    const succeeded = all.filter((run) => run.code === 0).length
    return {
      what: `${AT_ONCE} first uses at once`,
      figure: `${succeeded} of ${AT_ONCE} succeed, ${((performance.now() - start) / 1000).toFixed(1)} s for all`,
      bar: { text: 'all succeed', reached: succeeded === AT_ONCE },
    }
  })
}
