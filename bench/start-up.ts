import { inFreshHome } from './home.js'
import { median, ratioFigure, runOnce, type Chapter } from './measure.js'

const ROUNDS = 25

/**
 * Start-up of three commands against `node -e 0`, interleaved so that other load on the machine
 * falls on all of them alike, with a running embedded database.
 */
export async function measureStartUp(program: readonly string[]): Promise<Chapter> {
  return inFreshHome(program, ({ env }) => {
    runOnce([...program, 'init', '--json'], { env })
    return measureIn(program, env)
  })
}

function measureIn(program: readonly string[], env: NodeJS.ProcessEnv): Chapter {
  const variants = {
    'node -e 0': [process.execPath, '-e', '0'],
    'cleverctl --version': [...program, '--version'],
    'cleverctl --help': [...program, '--help'],
    'cleverctl device list': [...program, 'device', 'list'],
  } as const
  const times = new Map<string, number[]>(Object.keys(variants).map((name) => [name, []]))
  for (let round = 0; round < ROUNDS + 2; round += 1) {
    for (const [name, command] of Object.entries(variants)) {
      const { ms } = runOnce(command, { env })
      if (round >= 2) times.get(name)?.push(ms) // the first two rounds fill the file cache
    }
  }
  const base = median(times.get('node -e 0') ?? [])
  const compare = (name: keyof typeof variants, atMost: number) => {
    const ms = median(times.get(name) ?? [])
    return ratioFigure(
      `\`${name}\``,
      {
        figure: `${ms.toFixed(0)} ms`,
        baseline: `\`node -e 0\` ${base.toFixed(0)} ms`,
        ratio: ms / base,
      },
      { atMost },
    )
  }
  return {
    title: 'Start-up',
    method: `Median wall time of ${ROUNDS} interleaved runs, NODE_EXTRA_CA_CERTS unset, embedded database running.`,
    figures: [
      compare('cleverctl --version', 1.5),
      compare('cleverctl --help', 5),
      compare('cleverctl device list', 7),
    ],
  }
}
