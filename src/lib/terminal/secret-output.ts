import { UsageError } from '../errors.js'
import type { Secret } from '../secret.js'
import type { SecretDelivery } from '../secret-delivery.js'
import type { Log } from '../workspace.js'

/** What {@link shownDelivery} writes with. */
export interface Writers {
  /** A line of the result on stdout. */
  fact: (label: string, value: string) => void
  /** A line on stderr that --quiet does not silence. */
  warn: (message: string) => void
}

/** Shows the secret on stdout, once, before the commit: if it cannot be shown, nothing is changed. */
export function shownDelivery(writers: Writers): SecretDelivery {
  let isShown = false
  return {
    ...nowhere,
    stage: async (secret: Secret) => {
      isShown = true
      writers.fact('secret', secret.reveal())
    },
    discard: async () => {
      if (isShown) writers.warn('nothing was changed: the secret shown above is not in force')
    },
    leave: async () => writers.warn('nobody knows yet whether the secret shown above is in force'),
  }
}

/** Puts the secret into the JSON document. */
export function revealedDelivery(): SecretDelivery {
  let kept: Secret | undefined
  return {
    ...nowhere,
    stage: async (secret: Secret) => {
      kept = secret
    },
    revealed: () => kept?.reveal(),
  }
}

/** Keeps the secret to itself: gates hand it to those who need it. */
export function handedOverDelivery(log: Pick<Log, 'info'>): SecretDelivery {
  return {
    ...nowhere,
    finish: async () =>
      log.info(
        'the new key was not shown; gates hand it to the loggers (--output FILE keeps a copy)',
      ),
  }
}

/** The error for a new secret that nobody would ever hold. */
export function nowhereToGo(): UsageError {
  return new UsageError('missing-output', 'the new secret has nowhere to go: --output is missing', {
    suggestions: ['--output FILE writes it to a file', '--reveal writes it into the result'],
  })
}

const nowhere: SecretDelivery = {
  resume: async () => false,
  stage: async () => {},
  finish: async () => {},
  discard: async () => {},
  revealed: () => undefined,
}
