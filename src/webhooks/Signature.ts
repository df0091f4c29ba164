import { createHmac, timingSafeEqual } from "node:crypto"

/**
 * Whether `given` is the HMAC-SHA256 of exactly these bytes as both senders write it: 64 lower-case hexadecimal digits and
 * nothing else. Compared in constant time.
 */
export const isSignedWith = (secret: string, body: Uint8Array, given: string): boolean =>
  /^[0-9a-f]{64}$/.test(given) &&
  timingSafeEqual(Buffer.from(given, "hex"), createHmac("sha256", secret).update(body).digest())
