import type { SecretDelivery } from '../secret-delivery.js'
import { fileDelivery } from '../file-delivery.js'
import type { Sink } from '../sink/types.js'
import type { Log } from '../workspace.js'
import type { Screen } from './screen.js'
import {
  handedOverDelivery,
  nowhereToGo,
  revealedDelivery,
  shownDelivery,
} from './secret-output.js'

/** What a command line says of where its new secret goes; by `secretOutputFlags` and `deliverFlag`. */
export interface SecretOutputFlags {
  output?: string | undefined
  reveal: boolean
  deliver?: string[] | undefined
}

/** What decides, beside the flags, whether a secret may be shown. */
interface Around {
  screen: Screen
  log: Log
  isJson: boolean
}

/**
 * Where a new secret goes: `output` (a file made 0600, never overwritten), else the terminal, else with
 * --reveal into the result.
 */
export class SecretDestination {
  readonly #flags: SecretOutputFlags
  readonly #around: Around

  constructor(flags: SecretOutputFlags, around: Around) {
    this.#flags = flags
    this.#around = around
  }

  /** The delivery to that place; undefined where there is none. */
  ifAny(): SecretDelivery | undefined {
    const { output, reveal } = this.#flags
    const { screen, log, isJson } = this.#around
    if (output !== undefined) return fileDelivery(output)
    if (isJson) return reveal ? revealedDelivery() : undefined
    if (!reveal && !screen.isTerminal) return undefined
    return shownDelivery({
      fact: (label, value) => screen.facts([[label, value]]),
      warn: (message) => log.warn(message),
    })
  }

  /**
   * The same for a secret that has no other way to its user.
   * Throws UsageError naming the flags where it would go nowhere: nobody would ever hold it.
   */
  required(): SecretDelivery {
    const delivery = this.ifAny()
    if (!delivery) throw nowhereToGo()
    return delivery
  }

  /**
   * Where a new API key goes: to the sinks of --deliver, else to that place.
   * @param about.isHandedOver gates give it to the loggers, so it need not go anywhere
   * Throws UsageError for what is no sink, and where nobody would ever hold the key.
   */
  async ofKey(about = { isHandedOver: false }): Promise<SecretDelivery | readonly Sink[]> {
    const { deliver } = this.#flags
    if (deliver === undefined)
      return about.isHandedOver
        ? (this.ifAny() ?? handedOverDelivery(this.#around.log))
        : this.required()
    const { parseSink } = await import('../sink/parse.js')
    return deliver.map((text) => parseSink(text, process.env))
  }
}
