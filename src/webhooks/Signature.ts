import { createHmac, timingSafeEqual } from "node:crypto"

/** Whether a text has the form of a signature. Only then the body is read. */
export const isSignature = (given: string): boolean => /^[0-9a-f]{64}$/.test(given)

/**
 * Whether `given` is the HMAC-SHA256 of exactly these bytes, as both senders write it: 64 lower-case hexadecimal digits
 * and nothing else. They are compared in constant time.
 */
export const isSignedWith = (secret: string, body: Uint8Array, given: string): boolean =>
  isSignature(given) &&
  timingSafeEqual(Buffer.from(given, "hex"), createHmac("sha256", secret).update(body).digest())
