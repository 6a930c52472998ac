/** Keys that are made at once, exported as soon as they are there. */
import { execFile } from 'node:child_process'
import { sign, verify } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { newKeyPair } from '../../lib/crypto/key-pairs.ts'
import { runs } from '../support/checks/runs.ts'
import { compiled } from '../support/processes/compiled.ts'

describe('newKeyPair', () => {
  it.each(['P-256', 'P-384', 'P-521', 'Ed25519'])('makes two halves of one key on %s', crv => {
    const { privateKey, publicKey } = newKeyPair(crv)
    const digest = crv === 'Ed25519' ? null : 'sha256'
    expect(verify(digest, Buffer.from('text'), publicKey, sign(digest, Buffer.from('text'), privateKey))).toBe(true)
    expect(publicKey.export({ format: 'jwk' })).toMatchObject({ crv })
    expect(privateKey.export({ format: 'jwk' })).toMatchObject(publicKey.export({ format: 'jwk' }))
  })

  // a process that waits for itself ends by no timer of its own
  it('is never waited for, however many are made and exported', async () => {
    const file = compiled(new URL('many-keys.ts', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, [file, String(runs(3000))], {
      timeout: 50_000,
      cwd: fileURLToPath(new URL('.', import.meta.url))
    })
    expect(stdout).toBe('made')
  }, 60_000)
})
