/** Bytes as text, and the little of DER that a certificate request is made of. */

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

export const utf8 = text => encoder.encode(text)
export const textOf = bytes => decoder.decode(bytes)

export function base64(bytes) {
  let binary = ''
  for (const byte of new Uint8Array(bytes)) binary += String.fromCharCode(byte)
  return btoa(binary)
}

export const base64url = bytes => base64(bytes).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')

export function fromBase64url(text) {
  const binary = atob(text.replace(/-/g, '+').replace(/_/g, '/'))
  return Uint8Array.from(binary, character => character.charCodeAt(0))
}

export const random = length => base64url(crypto.getRandomValues(new Uint8Array(length)))

export const hex = length =>
  Array.from(crypto.getRandomValues(new Uint8Array(length)), byte => byte.toString(16).padStart(2, '0')).join('')

export const sha256 = async text => base64url(await crypto.subtle.digest('SHA-256', utf8(text)))

export function pem(label, bytes) {
  const lines = base64(bytes).match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

/** A DER value of a tag, with the parts it consists of. */
export function der(tag, ...parts) {
  const content = parts.flatMap(part => [...part])
  const { length } = content
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Uint8Array.from([tag, ...head, ...content])
}

/** An ECDSA signature as WebCrypto has it (r and s side by side), as X.509 has it. */
export function derSignature(signature) {
  const bytes = new Uint8Array(signature)
  const integer = part => {
    const start = part.findIndex(byte => byte !== 0)
    const digits = [...part.slice(start)]
    return der(0x02, digits[0] > 127 ? [0, ...digits] : digits)
  }
  return der(0x30, integer(bytes.slice(0, 32)), integer(bytes.slice(32)))
}
