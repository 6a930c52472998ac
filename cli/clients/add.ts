/** `clients add`: a client that every server on the store finds, without a restart. */
import { readFileSync } from 'node:fs'
import { ConfigurationError, type ClientMetadata } from 'clientele'
import { checkAtServer } from '../../example-app/config/added-client.ts'
import { checkConfig } from '../../example-app/config/config.ts'
import { ConfigError } from '../../example-app/config/config-error.ts'
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
 * Holds a client against the rules of the configuration file and of the server it describes. @throws {@link
 * CommandError} naming the member.
 */
function checkInFile(metadata: ClientMetadata, operator: Operator): void {
  const { config, configured, accounts, settings } = operator
  if (config === undefined || settings === undefined) return
  const { issuer } = config.settings
  const takesSecret = (metadata.token_endpoint_auth_method ?? 'client_secret_basic').startsWith('client_secret_')
  const client = { ...metadata, ...(takesSecret && { client_secret: someSecret }) }
  const path = `clients[${configured.length}].`
  try {
    const https = issuer.startsWith('https:') ? { listen: {} } : {}
    const { settings: read } = checkConfig({ issuer, ...https, accounts, clients: [...configured, client] }, '.')
    for (const added of read.clients.slice(configured.length))
      checkAtServer(added, { ...operator, own: settings, file: config.settings })
  } catch (error) {
    if (error instanceof ConfigError) throw new CommandError(error.message.replace(path, ''))
    if (error instanceof ConfigurationError) throw new CommandError(error.message.replace(/^clients\[0\]\./, ''))
    throw error
  }
}
