/** `clients add`: a client that every server on the store finds, without a restart. */
import { readFileSync } from 'node:fs'
import { checkProfile, ConfigurationError, memoryStore, tokenRouter, type ClientMetadata } from 'clientele'
import { attestationOptions } from '../../example-app/config/attesters.ts'
import { checkConfig } from '../../example-app/config/config.ts'
import { ConfigError } from '../../example-app/config/config-error.ts'
import { workloadOptions } from '../../example-app/config/workloads.ts'
import { answer } from '../answer.ts'
import { command, CommandError, type Call } from '../command.ts'
import { changeOptions, withOperator, type Operator } from '../operator.ts'

const options = {
  name: { type: 'string', placeholder: 'NAME', help: 'client_name' },
  method: { type: 'string', placeholder: 'METHOD', help: 'token_endpoint_auth_method' },
  'grant-type': { type: 'string', multiple: true, placeholder: 'TYPE', help: 'grant_types' },
  'redirect-uri': { type: 'string', multiple: true, placeholder: 'URI', help: 'redirect_uris' },
  scope: { type: 'string', placeholder: 'VALUES', help: 'scope, with spaces between its values' },
  'jwks-uri': { type: 'string', placeholder: 'URL', help: 'jwks_uri' },
  metadata: { type: 'string', placeholder: 'FILE', help: 'a JSON file of client metadata, for everything else' },
  ...changeOptions
} as const

export const addClient = command({
  arguments: ['CLIENT_ID'],
  options,
  description: `Adds a client to the store, where every server finds it within seconds. Where its method takes a secret, one is made and
printed: this once, and never again. With --config it is held against everything a client in that file would be.`,
  run: given =>
    withOperator(given, async operator => {
      const metadata = metadataOf(given)
      checkInFile(metadata, operator)
      const added = await operator.stored.add(metadata)
      const { client_id, client_secret } = added
      answer(given.terminal, given.options.format, added, [{ client_id, client_secret: client_secret ?? 'none' }], '')
      return 0
    })
})

function metadataOf({ arguments: [client_id = ''], options: given }: Call<typeof options>): ClientMetadata {
  const file = given.metadata === undefined ? {} : readMetadata(given.metadata)
  return {
    ...file,
    client_id,
    ...(given.name !== undefined && { client_name: given.name }),
    ...(given.method !== undefined && { token_endpoint_auth_method: given.method }),
    ...(given['grant-type'].length > 0 && { grant_types: given['grant-type'] }),
    ...(given['redirect-uri'].length > 0 && { redirect_uris: given['redirect-uri'] }),
    ...(given.scope !== undefined && { scope: given.scope }),
    ...(given['jwks-uri'] !== undefined && { jwks_uri: given['jwks-uri'] })
  }
}

function readMetadata(path: string): object {
  try {
    const read: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof read === 'object' && read !== null && !Array.isArray(read)) return read
  } catch {
    // the same words for all of them: a parser's own quote the file
  }
  throw new CommandError('--metadata must be the path of a file with a JSON object')
}

/** Stands in for the secret that is made: the longest that a method asks for. */
const someSecret = 'x'.repeat(64)

/**
 * Holds a client against the rules of the configuration file and of its profile. @throws {@link CommandError} naming
 * the member.
 */
function checkInFile(metadata: ClientMetadata, operator: Operator): void {
  const { config, configured, accounts, policy } = operator
  if (config === undefined || policy === undefined) return
  const { issuer } = config.settings
  const takesSecret = (metadata.token_endpoint_auth_method ?? 'client_secret_basic').startsWith('client_secret_')
  const client = { ...metadata, ...(takesSecret && { client_secret: someSecret }) }
  const path = `clients[${configured.length}].`
  try {
    const https = issuer.startsWith('https:') ? { listen: {} } : {}
    checkConfig({ issuer, ...https, accounts, clients: [...configured, client] }, '.')
  } catch (error) {
    if (error instanceof ConfigError) throw new CommandError(error.message.replace(path, ''))
    throw error
  }
  checkMethod(client, operator)
  const unknown = (metadata.grant_types ?? []).findIndex(grant => !policy.grant_types.some(known => known === grant))
  if (unknown !== -1) throw new CommandError(`grant_types[${unknown}] must be one of ${policy.grant_types.join(', ')}`)
  const [problem] = checkProfile({ profile: policy.profile, clients: [metadata] })
  if (problem !== undefined) throw new ConfigurationError(problem.key.replace('clients[0].', ''), problem.mustBe)
}

/** Holds a client's method against those that a server of this file has. @throws {@link CommandError} naming it. */
function checkMethod(client: ClientMetadata, { issuer, keys, settings }: Operator): void {
  // what a token endpoint alone cannot have, the file's own rules have looked at
  const others = { grant_types: undefined, response_types: undefined, redirect_uris: undefined, subject_type: undefined }
  const platforms = settings && { ...workloadOptions(settings), ...attestationOptions(settings) }
  try {
    tokenRouter({ issuer, keys, store: memoryStore(), clients: [{ ...client, ...others }], ...platforms })
  } catch (error) {
    if (error instanceof ConfigurationError) throw new CommandError(error.message.replace(/^clients\[0\]\./, ''))
    throw error
  }
}
