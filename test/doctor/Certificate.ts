import { createSign, generateKeyPairSync } from "node:crypto"

/** DER: a tag, a length, and what it holds. */
const der = (tag: number, ...parts: ReadonlyArray<Buffer>): Buffer => {
  const body = Buffer.concat(parts)
  const length = body.length < 128
    ? Buffer.from([body.length])
    : body.length < 256
    ? Buffer.from([0x81, body.length])
    : Buffer.from([0x82, body.length >> 8, body.length & 0xff])
  return Buffer.concat([Buffer.from([tag]), length, body])
}

const sequence = (...parts: ReadonlyArray<Buffer>) => der(0x30, ...parts)
const explicit = (tag: number, part: Buffer) => der(0xa0 + tag, part)
const id = (...bytes: ReadonlyArray<number>) => der(0x06, Buffer.from(bytes))

// ecdsa-with-SHA256, commonName, subjectAltName.
const algorithm = sequence(id(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02))
const commonName = (name: string) => sequence(der(0x31, sequence(id(0x55, 0x04, 0x03), der(0x0c, Buffer.from(name)))))
const generalizedTime = (at: Date) =>
  der(0x18, Buffer.from(`${at.toISOString().replace(/[-:T]/g, "").slice(0, 14)}Z`, "latin1"))

const pem = (body: Buffer) =>
  `-----BEGIN CERTIFICATE-----\n${body.toString("base64").replace(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`

/** A certificate for 127.0.0.1 that is signed by itself, and its key. */
export const selfSigned = (until: Date): { readonly cert: string; readonly key: string } => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" })
  const name = commonName("plane.test")
  const address = sequence(der(0x87, Buffer.from([127, 0, 0, 1])))
  const body = sequence(
    explicit(0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    algorithm,
    name,
    sequence(generalizedTime(new Date("2020-01-01T00:00:00Z")), generalizedTime(until)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    explicit(3, sequence(sequence(id(0x55, 0x1d, 0x11), der(0x04, address))))
  )
  const signature = createSign("sha256").update(body).sign(privateKey)
  return {
    cert: pem(sequence(body, algorithm, der(0x03, Buffer.from([0]), signature))),
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString()
  }
}
