/** Secrets as an old server kept them, the libraries that hashed them, and a server that has both. */
import { pbkdf2 as pbkdf2Callback, randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import bcrypt from 'bcryptjs'
import { argon2id, argon2Verify } from 'hash-wasm'
import request from 'supertest'
import type { AuthorizationServerOptions, ClientMetadata, Decision, SecretHashes } from '../../../lib/index.ts'
import { basic, harness, token } from '../servers/authorization-server.ts'

export const secret = 'correct horse battery staple ünd mehr'
export const grant_types = ['client_credentials']
const form = { grant_type: 'client_credentials' }
const pbkdf2 = promisify(pbkdf2Callback)

/** As Django has them: pbkdf2_sha256$iterations$salt$hash. */
async function django(password: string, hash: string): Promise<boolean> {
  const [, iterations = '', salt = '', expected = ''] = hash.split('$')
  const key = await pbkdf2(password, salt, Number(iterations), 32, 'sha256')
  return key.toString('base64') === expected
}

export const libraries: SecretHashes = {
  $2a$: (presented, hash) => bcrypt.compare(presented, hash),
  $2b$: (presented, hash) => bcrypt.compare(presented, hash),
  $argon2id$: (password, hash) => argon2Verify({ password, hash }),
  pbkdf2_sha256$: django
}
export const salt = Buffer.from('sixteen bytes...')
export const hashes = {
  bcrypt: await bcrypt.hash(secret, 4),
  argon2: await argon2id({
    ...{ password: secret, salt, iterations: 1, memorySize: 64, parallelism: 1 },
    ...{ hashLength: 32, outputType: 'encoded' }
  }),
  pbkdf2: `pbkdf2_sha256$10$salt$${(await pbkdf2(secret, 'salt', 10, 32, 'sha256')).toString('base64')}`
}

export const kept = (client_id: string, hash: string): ClientMetadata => ({
  ...{ client_id, grant_types, response_types: [] },
  credentials: [{ type: 'secret', id: 'old', hash }]
})
export const generated: ClientMetadata = {
  client_id: 'generated',
  client_secret: 'a generated one',
  grant_types,
  response_types: []
}

/** A library that hides nothing, and what it was asked; each is another one, with a hash of its own that nobody has seen. */
export function counted(verify: SecretHashes[string] = (presented, hash) => hash.endsWith(encoded(presented))) {
  const asked: string[] = []
  const counting = (presented: string, hash: string): boolean | Promise<boolean> => {
    asked.push(presented)
    return verify(presented, hash)
  }
  return { asked, secretHashes: { $plain$: counting }, plain: `$plain$${randomUUID()}$${encoded(secret)}` }
}

function encoded(text: string): string {
  return Buffer.from(text).toString('base64url')
}

/** A server with these clients, which is asked for tokens. */
export async function served(clients: readonly ClientMetadata[], options: Partial<AuthorizationServerOptions>) {
  const decisions: Decision[] = []
  const made = await harness({ clients, resources: [], onDecision: one => decisions.push(one), ...options })
  const ask = async (client_id: string, presented: string) => {
    const response = await token(made.app, 'nobody', form).set('Authorization', basic(client_id, presented))
    return { status: response.status, body: response.body as Record<string, unknown> }
  }
  const askInBody = async (client_id: string, client_secret: string) =>
    (
      await request(made.app)
        .post('/oauth2/token')
        .type('form')
        .send({ ...form, client_id, client_secret })
    ).status
  return { ...made, ask, askInBody, decisions }
}
