/** Proof Key for Code Exchange (RFC 7636), S256 alone: `plain` protects nothing (RFC 9700 §2.1.1). */
import { hash } from 'node:crypto'
import { isEqual } from '../crypto/comparison.ts'

const verifierSyntax = /^[A-Za-z0-9\-._~]{43,128}$/
const challengeSyntax = /^[A-Za-z0-9_-]{43}$/

/** True when the value can be an S256 challenge: 43 characters of base64url (RFC 7636 §4.2). */
export function isCodeChallenge(value: string): boolean {
  return challengeSyntax.test(value)
}

/** Whether the verifier answers the challenge (RFC 7636 §4.6). A verifier of the wrong syntax (§4.1) never does. */
export function verifyCodeChallenge(verifier: string, challenge: string): boolean {
  return verifierSyntax.test(verifier) && isEqual(hash('sha256', verifier, 'base64url'), challenge)
}
