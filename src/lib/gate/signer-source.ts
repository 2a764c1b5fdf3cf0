import { loadSigner, type Signer } from '../signing-key/signer.js'
import type { Workspace } from '../workspace.js'
import type { Memory } from './memory.js'

/** The signing key in use, kept open while nothing was heard about signing keys. */
export class SignerSource {
  readonly #workspace: Workspace
  readonly #memory: Memory
  #loading: Promise<Signer> | undefined

  constructor(workspace: Workspace, memory: Memory) {
    this.#workspace = workspace
    this.#memory = memory
  }

  /** @throws what {@link loadSigner} throws */
  async get(): Promise<Signer> {
    if (this.#loading && this.#memory.isTrusted) return this.#loading
    const loading = loadSigner(this.#workspace)
    this.#loading = loading
    loading.catch(() => {
      if (this.#loading === loading) this.#loading = undefined
    })
    return loading
  }

  /** Tells it that signing keys changed. */
  forget(): void {
    this.#loading = undefined
  }
}
