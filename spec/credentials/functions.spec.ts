import { generateKeyPairSync } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import type { JWK } from 'jose'
import { newKeyPair } from '../../lib/crypto/key-pairs.ts'
import { clientSecrets } from '../../lib/clients/client.ts'
import { credentialSets } from '../../lib/credentials/credential-sets.ts'
import type { Store } from '../../lib/stores/store.ts'
import { issuer } from '../support/servers/authorization-server.ts'
import { idsOf, keys, made, metadata, publicKey, refused, watched } from '../support/servers/credential-sets.ts'
import { serverKeys } from '../support/keys/made-keys.ts'

describe('rotateSecret', () => {
  it('gives a secret of 256 bits that works at once, beside the one before', async () => {
    const { sets, opens } = made()
    const { client_secret, id, credential } = await sets.rotateSecret('billing', { label: 'winter' })
    expect(Buffer.from(client_secret, 'base64url')).toHaveLength(32)
    expect(credential).toBe(`secret:${id}`)
    expect(await opens('billing', client_secret)).toBe(credential)
    expect(await opens('billing', 'the configured secret')).toBe('secret:1')
  })

  it('ends the others when it is told to, the configured and the added', async () => {
    const world = made()
    const { sets, opens, time, seconds } = world
    const first = await sets.rotateSecret('billing')
    const second = await sets.rotateSecret('billing', { previousExpiresAt: seconds() + 60 })
    time.now += 59_000
    for (const secret of ['the configured secret', first.client_secret, second.client_secret])
      expect(await opens('billing', secret)).toMatch(/^secret:/)
    time.now += 1000
    expect(await opens('billing', 'the configured secret')).toBe(refused)
    expect(await opens('billing', first.client_secret)).toBe(refused)
    expect(await opens('billing', second.client_secret)).toBe(second.credential)
    expect(await idsOf(world, 'billing')).toEqual([
      '1: expired',
      'token_endpoint_auth_method: live',
      `${first.id}: expired`,
      `${second.id}: live`
    ])
  })

  it('leaves no secret readable anywhere: not in the store, the listing, the client or an event', async () => {
    const { sets, store, events } = made()
    const written: unknown[] = []
    const spying: Store = watched(store, 'add', (...given) => written.push(given))
    const spied = credentialSets({ issuer, clients: metadata, keys, store: spying })
    const { client_secret } = await spied.rotateSecret('billing')
    const { client_secret: sealed } = await spied.rotateSecret('signing')
    const shown = inspect(
      [
        written,
        events,
        await spied.listCredentials('billing'),
        await spied.clients.find('billing'),
        await sets.clients.find('signing')
      ],
      { depth: Infinity, showHidden: true }
    )
    expect(written).toHaveLength(2)
    expect(shown).not.toContain(client_secret)
    expect(shown).not.toContain(sealed)
  })

  it('keeps one that the server must compute with readable to the server alone', async () => {
    const { sets, store } = made()
    const { client_secret } = await sets.rotateSecret('signing')
    expect(Buffer.from(client_secret, 'base64url')).toHaveLength(48)
    const client = await sets.clients.find('signing')
    expect(client && clientSecrets(client).map(({ value }) => value)).toContain(client_secret)
    const elsewhere = credentialSets({ issuer, clients: metadata, keys: await serverKeys(), store })
    const stranger = await elsewhere.clients.find('signing')
    expect(stranger && clientSecrets(stranger).map(({ value }) => value)).not.toContain(client_secret)
  })

  it('loses none of many at once, from two processes', async () => {
    const world = made({ maxAge: 0 })
    const other = credentialSets({ issuer, clients: metadata, keys, store: world.store, clock: world.clock, maxAge: 0 })
    const rotated = await Promise.all(
      Array.from({ length: 24 }, (_, index) => (index % 2 === 0 ? world.sets : other).rotateSecret('billing'))
    )
    for (const { client_secret, credential } of rotated) {
      expect(await world.opens('billing', client_secret)).toBe(credential)
      expect(await world.opens('billing', client_secret, other)).toBe(credential)
    }
  })

  it('is refused beyond 50 live ones, and makes room of those that ended', async () => {
    const { sets, seconds, time, opens } = made()
    const end = seconds() + 60
    for (let count = 0; count < 49; count++) await sets.rotateSecret('billing', { expires_at: end })
    const last = await sets.rotateSecret('billing')
    await expect(sets.rotateSecret('billing')).rejects.toMatchObject({ name: 'CredentialError', code: 'too_many' })
    time.now += 61_000
    for (let count = 0; count < 40; count++) await sets.rotateSecret('billing')
    expect(await opens('billing', last.client_secret)).toBe(last.credential)
    expect((await sets.listCredentials('billing')).length).toBeLessThanOrEqual(102)
  })

  it.each<[string, object, string]>([
    ['an expiry in the past', { expires_at: 1_799_999_999 }, 'expires_at'],
    ['an expiry now', { expires_at: 1_800_000_000 }, 'expires_at'],
    ['an expiry that is no number', { expires_at: 'tomorrow' }, 'expires_at'],
    ['an end of the others in the past', { previousExpiresAt: 1 }, 'previousExpiresAt'],
    ['an end before the beginning', { not_before: 1_900_000_000, expires_at: 1_850_000_000 }, 'expires_at'],
    ['a label with a line break', { label: 'a\nb' }, 'label'],
    ['a label that turns the text around', { label: 'a\u202eb' }, 'label'],
    ['a label of 65 characters', { label: 'x'.repeat(65) }, 'label'],
    ['an empty label', { label: ' ' }, 'label'],
    ['half a character as a label', { label: '\ud800' }, 'label'],
    ['an option nobody knows', { lable: 'x' }, 'lable']
  ])('is refused for %s', async (_, options, key) => {
    const { sets } = made()
    await expect(sets.rotateSecret('billing', options)).rejects.toMatchObject({ name: 'ConfigurationError', key })
    expect(await sets.listCredentials('billing')).toHaveLength(2)
  })

  it.each([
    ['a client nobody knows', 'nobody', 'unknown_client'],
    ['a public client', 'spa', 'unknown_client'],
    ['a client without a method that takes one', 'keyed', 'not_allowed']
  ])('is refused for %s', async (_, client_id, code) => {
    await expect(made().sets.rotateSecret(client_id)).rejects.toMatchObject({ code })
  })
})

describe('importSecret', () => {
  it('takes over what a person made up, kept as scrypt makes of it', async () => {
    const { sets, store, opens } = made()
    const written: unknown[] = []
    const spying: Store = watched(store, 'add', (...given) => written.push(given))
    const spied = credentialSets({ issuer, clients: metadata, keys, store: spying })
    const { credential } = await spied.importSecret('billing', 'correct horse')
    expect(JSON.stringify(written)).toContain('$scrypt$ln=14,r=8,p=5$')
    expect(JSON.stringify(written)).not.toContain('correct horse')
    expect(await opens('billing', 'correct horse', sets)).toBe(credential)
    expect(await opens('billing', 'correct hors', sets)).toBe(refused)
    expect(await opens('billing', 'x'.repeat(1_048_576), sets)).toBe(refused)
  })

  it.each(['', 'seven77', 'x'.repeat(1025), 5 as unknown as string])('refuses %j', async secret => {
    await expect(made().sets.importSecret('billing', secret)).rejects.toMatchObject({ name: 'ConfigurationError' })
  })
})

describe('revokeCredential', () => {
  it('takes back what was added, for this process at once and for others within maxAge', async () => {
    const world = made()
    const { sets, opens, time } = world
    const other = credentialSets({ issuer, clients: metadata, keys, store: world.store, clock: world.clock, maxAge: 10 })
    const { id, client_secret } = await sets.rotateSecret('billing')
    expect(await opens('billing', client_secret, other)).toBe(`secret:${id}`)
    await sets.revokeCredential('billing', id)
    expect(await opens('billing', client_secret)).toBe(refused)
    time.now += 10_000
    expect(await opens('billing', client_secret, other)).toBe(refused)
    expect(await idsOf(world, 'billing')).toContain(`${id}: revoked`)
  })

  it('takes back what is configured, until its value is another', async () => {
    const world = made()
    const { client_secret } = await world.sets.rotateSecret('billing')
    await world.sets.revokeCredential('billing', '1')
    expect(await world.opens('billing', 'the configured secret')).toBe(refused)
    expect(await world.opens('billing', client_secret)).toMatch(/^secret:/)
    const changed = [{ client_id: 'billing', client_secret: 'another configured secret' }]
    const later = credentialSets({ issuer, clients: changed, keys, store: world.store, clock: world.clock })
    expect(await world.opens('billing', 'another configured secret', later)).toBe('secret:1')
    expect(await world.opens('billing', 'the configured secret', later)).toBe(refused)
  })

  it('holds under other keys of the server too: what cannot be compared has ended', async () => {
    const world = made()
    await world.sets.rotateSecret('billing')
    await world.sets.revokeCredential('billing', '1')
    const otherKeys = credentialSets({
      issuer,
      clients: metadata,
      keys: await serverKeys(),
      store: world.store,
      clock: world.clock
    })
    expect(await world.opens('billing', 'the configured secret', otherKeys)).toBe(refused)
  })

  it('takes a key out of the jwks and leaves the others the objects they were', async () => {
    const two = [publicKey('a'), publicKey('b')]
    const clients = [{ client_id: 'keyed', token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: two } }]
    const { sets } = made({ clients })
    const [first] = await sets.listCredentials('keyed')
    await sets.revokeCredential('keyed', first?.id ?? '')
    const client = await sets.clients.find('keyed')
    expect(client?.jwks?.keys).toEqual([two[1]])
    expect(client?.jwks?.keys[0]).toBe(two[1])
    expect(await sets.clients.find('keyed')).toBe(client)
  })

  it('refuses the last a client could authenticate with, unless forced', async () => {
    const { sets, opens } = made()
    const last = { code: 'last_credential' }
    await expect(sets.revokeCredential('billing', '1')).rejects.toMatchObject(last)
    await expect(sets.revokeCredential('billing', 'token_endpoint_auth_method')).rejects.toMatchObject(last)
    await sets.addKey('billing', publicKey())
    // a key nobody may use is no way in
    await expect(sets.revokeCredential('billing', '1')).rejects.toMatchObject(last)
    expect(await opens('billing', 'the configured secret')).toBe('secret:1')
    await sets.revokeCredential('billing', '1', { force: true })
    expect(await opens('billing', 'the configured secret')).toBe(refused)
  })

  it('does nothing the second time, and refuses what was never there', async () => {
    const { sets, events } = made()
    const { id } = await sets.rotateSecret('billing')
    await sets.revokeCredential('billing', id)
    await sets.revokeCredential('billing', id)
    expect(events.map(({ type }) => type)).toEqual(['credential.added', 'credential.revoked'])
    await expect(sets.revokeCredential('billing', 'made up')).rejects.toMatchObject({ code: 'unknown_credential' })
  })
})

describe('keys, certificates and methods', () => {
  it('knows the same key again, and refuses another of its kid', async () => {
    const { sets } = made()
    const jwk = publicKey('second')
    const added = await sets.addKey('keyed', jwk)
    expect(added.credential).toBe('kid:second')
    expect(await sets.addKey('keyed', { ...jwk })).toEqual(added)
    await expect(sets.addKey('keyed', publicKey('second'))).rejects.toMatchObject({ code: 'duplicate' })
    await expect(sets.addKey('keyed', publicKey('first'))).rejects.toMatchObject({ code: 'duplicate' })
  })

  it.each<[string, unknown]>([
    ['a private key', newKeyPair('P-256').privateKey.export({ format: 'jwk' })],
    ['a symmetric key', { kty: 'oct', k: 'AAAA' }],
    ['a short RSA key', generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' })],
    ['a point that is on no curve', { kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA' }],
    ['null', null],
    ['a list', []],
    ['a string', 'x']
  ])('refuses %s', async (_, jwk) => {
    await expect(made().sets.addKey('keyed', jwk as JWK)).rejects.toMatchObject({
      name: 'ConfigurationError',
      key: 'jwk'
    })
  })

  it.each(['', 'x', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', 'x'.repeat(1_048_576)])(
    'refuses a certificate that is none',
    async pem => {
      await expect(made().sets.addCertificate('keyed', pem)).rejects.toMatchObject({ key: 'certificate' })
    }
  )

  it.each(['none', 'client_secret', 'NONE', ''])('never allows the method %j', async method => {
    const { sets } = made()
    await expect(sets.allowMethod('billing', method)).rejects.toMatchObject({ code: 'not_allowed' })
    await expect(sets.allowMethod('spa', 'private_key_jwt')).rejects.toMatchObject({ code: 'unknown_client' })
    await expect(sets.allowMethod('billing', 'client_secret_basic')).rejects.toMatchObject({ code: 'duplicate' })
  })
})
