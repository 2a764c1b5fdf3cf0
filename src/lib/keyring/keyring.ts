/** The keys that seal. AES-256-GCM; the row's identity is authenticated with it (AAD). */
export interface Keyring {
  /** Id of the key that seals now. */
  readonly currentKeyId: string
  /**
   * Encrypts for storage.
   * @param identity what the value belongs to, e.g. `signing-key:abc`; opening it as anything else fails
   * @returns version, key id, nonce, tag and ciphertext in one buffer
   */
  seal(plaintext: Buffer, identity: string): Buffer
  /** Decrypts what `seal` made for the same identity. Throws RefusedError for a wrong key or an altered value. */
  open(sealed: Buffer, identity: string): Buffer
}
