/** Secrets and keys that are held against each other, and what that leaves behind. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { expect, it } from '@jest/globals'
import { newKeyPair } from '../../lib/crypto/key-pairs.ts'
import { isEqual, isSameKey } from '../../lib/crypto/comparison.ts'
import { rsaKey } from '../support/keys/made-keys.ts'

const keys: readonly (readonly [string, KeyObject])[] = [
  ['P-256', newKeyPair('P-256').publicKey],
  ['another P-256', newKeyPair('P-256').publicKey],
  ['P-384', newKeyPair('P-384').publicKey],
  ['Ed25519', newKeyPair('Ed25519').publicKey],
  ['RSA', createPublicKey(rsaKey())],
  ['X25519', generateKeyPairSync('x25519').publicKey]
]
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

it.each([
  ['the same text', 'secret ü', 'secret ü', true],
  ['a text and its UTF-8', 'secret ü', bytes('secret ü'), true],
  ['two of one length', 'secret a', 'secret b', false],
  ['one and its beginning', bytes('secret'), 'secre', false],
  ['nothing and something', '', 'secret', false]
])('tells whether %s are equal', (_, a, b, same) => {
  expect(isEqual(a, b)).toBe(same)
  expect(isEqual(b, a)).toBe(same)
})

const pem = newKeyPair('P-256').privateKey.export({ type: 'pkcs8', format: 'pem' })

it.each(keys.flatMap(([a, one]) => keys.map(([b, other]) => [a, b, one, other] as const)))(
  'tells %s and %s apart, unless they are one, and leaves nothing behind that the next key fails of',
  (a, b, one, other) => {
    const again = createPublicKey(other.export({ type: 'spki', format: 'pem' }))
    expect(isSameKey(one, again)).toBe(a === b)
    expect(createPrivateKey(pem).asymmetricKeyType).toBe('ec')
  }
)
