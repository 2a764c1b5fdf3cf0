import { join } from 'node:path'
import { playDemo, type DemoResult, type PlayedStep } from '../lib/demo/play.js'
import { BaseCommand } from '../lib/terminal/base-command.js'

export default class Demo extends BaseCommand<DemoResult> {
  static override summary = 'play the main job from an empty folder to refused arrivals'
  static override description =
    'Runs the real commands against an embedded database in a temporary home: devices are registered, ' +
    'an app installs one, its logger posts readings over HTTPS, and five arrivals that must be refused ' +
    'are refused. Exits 0 only if every step came out as said, and leaves nothing behind.'

  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --json',
  ]

  protected async execute(): Promise<DemoResult> {
    await this.parse(Demo)
    return playDemo({
      program: [process.execPath, join(this.config.root, 'bin', 'run.js')],
      signal: this.signal,
      onStep: (step) => this.#tell(step),
    })
  }

  protected render(result: DemoResult): void {
    this.screen.line()
    this.screen.line(
      `${result.steps.length} steps came out as said in ${(result.durationMs / 1000).toFixed(1)} s`,
    )
  }

  #tell(step: PlayedStep): void {
    if (this.jsonEnabled()) return
    this.screen.mark(step.passed ? 'ok' : 'failure', step.title)
    this.screen.detail(step.seen)
  }
}
