import { createHmac, timingSafeEqual } from "node:crypto"

/** Whether a text has the form of a signature. Only then the body is read. */
export const isSignature = (given: string): boolean => /^[0-9a-f]{64}$/.test(given)

/** The check of a body's signature, whose bytes are hashed as they come. */
export interface SignatureCheck {
  readonly update: (bytes: Uint8Array) => void
  /**
   * The position of the secret that the body was signed with; undefined if it was none of them. The signature is the
   * HMAC-SHA256 of exactly these bytes, as both senders write it: 64 lower-case hexadecimal digits and nothing else. It
   * is compared with all, and in constant time. Ends the check.
   */
  readonly signedWith: (given: string) => number | undefined
}

/** Begins the check of a body that may be signed with any of these secrets. */
export const checkSignature = (secrets: ReadonlyArray<string>): SignatureCheck => {
  const hashes = secrets.map((secret) => createHmac("sha256", secret))
  return {
    update: (bytes) => {
      for (const hash of hashes) hash.update(bytes)
    },
    signedWith: (given) => {
      if (!isSignature(given)) return undefined
      const signature = Buffer.from(given, "hex")
      const isRight = hashes.map((hash) => timingSafeEqual(signature, hash.digest()))
      const position = isRight.indexOf(true)
      return position === -1 ? undefined : position
    }
  }
}
