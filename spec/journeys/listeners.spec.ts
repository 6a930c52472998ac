/** Listeners that fail: what they are told of goes on, the process lives, and its operator is warned of each once. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import { typescriptArgs } from '../support/processes/typescript-process.ts'

interface Told {
  readonly answers: Readonly<Record<string, unknown>>
  readonly warnings: readonly string[]
}

async function run(how: 'throws' | 'rejects') {
  const child = fork(fileURLToPath(new URL('../support/checks/failing-listeners.ts', import.meta.url)), [how], {
    execArgv: [...typescriptArgs],
    env: { ...process.env, NODE_ENV: 'test', NODE_OPTIONS: '' },
    silent: true
  })
  const printed: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => printed.push(text))
  let told: Told | undefined
  child.on('message', (message: Told) => (told = message))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, told, printed: printed.join('') }
}

const tokenEndpoint = [401, 401]
const answers = {
  'authorizationServer onDecision': tokenEndpoint,
  'authorizationServer onEvent': tokenEndpoint,
  'authorizationServer onError': tokenEndpoint,
  'tokenRouter onDecision': tokenEndpoint,
  'tokenRouter onJudged': tokenEndpoint,
  'tokenRouter onEvent': tokenEndpoint,
  'tokenRouter onError': tokenEndpoint,
  'tenants onEvent': tokenEndpoint,
  'tenants onError': [503, 503],
  'tenants dispose': null,
  'authenticateClient onDecision': tokenEndpoint,
  'authenticateClient onEvent': tokenEndpoint,
  'authenticateClient onJudged': tokenEndpoint,
  'authenticateClient shadow.onDifference': tokenEndpoint,
  'oauthErrorHandler onError': [500, 500],
  'proxyCertificate onReport': tokenEndpoint,
  'credentialSets onEvent': null,
  'storedClients onEvent': null,
  'storedKeys onError': null,
  'builtInStrategies onSecretUpgrade': [200, 200, 200, 200],
  'keptAuthentications onLost': null,
  'ClientSecretBasicStrategy onDecision': tokenEndpoint,
  'ClientSecretPostStrategy onDecision': tokenEndpoint,
  'ClientSecretJwtStrategy onDecision': tokenEndpoint,
  'PrivateKeyJwtStrategy onDecision': tokenEndpoint,
  'TlsClientAuthStrategy onDecision': tokenEndpoint,
  'SelfSignedTlsClientAuthStrategy onDecision': tokenEndpoint,
  'FederatedJwtStrategy onDecision': tokenEndpoint,
  'SpiffeJwtStrategy onDecision': tokenEndpoint,
  'SpiffeX509Strategy onDecision': tokenEndpoint,
  'NoneStrategy onDecision': tokenEndpoint
}

describe.each(['throws', 'rejects'] as const)('a listener that %s', how => {
  it('takes nothing with it, whatever option it was given as, and is warned of once', async () => {
    const { code, told, printed } = await run(how)
    expect({ code, told: told !== undefined, printed: told === undefined ? printed : '' }).toEqual({
      code: 0,
      told: true,
      printed: ''
    })
    expect(told?.answers).toEqual(answers)
    const did = how === 'throws' ? 'threw' : 'rejected'
    const expected = Object.keys(answers).map(
      name => `${name.split(' ')[1] ?? ''} ${did}, and will again: the log of ${name} is full`
    )
    expect([...(told?.warnings ?? [])].sort()).toEqual(expected.sort())
  })
})

describe('the table', () => {
  /** Where listeners are declared as options, and the public functions that take them. */
  const declared: Readonly<Record<string, readonly string[]>> = {
    'authentication/authenticate-client.ts': [
      'authenticateClient onDecision',
      'authenticateClient onJudged',
      'authenticateClient onEvent'
    ],
    'authentication/shadow/options.ts': ['authenticateClient shadow.onDifference'],
    'strategies/attempt.ts': ['ClientSecretBasicStrategy onDecision', 'NoneStrategy onDecision'],
    'strategies/secret-proof.ts': ['builtInStrategies onSecretUpgrade'],
    'token-endpoint/options.ts': ['tokenRouter onDecision', 'tokenRouter onJudged', 'tokenRouter onError'],
    'tokens/token-options.ts': ['tokenRouter onEvent', 'authorizationServer onEvent'],
    'http/error-handler.ts': ['oauthErrorHandler onError'],
    'authorization-server/tenants.ts': ['tenants onEvent', 'tenants onError', 'tenants dispose'],
    'certificates/proxy/options.ts': ['proxyCertificate onReport'],
    // told by the same reporter as the one behind a proxy
    'certificates/tls-certificate.ts': ['proxyCertificate onReport'],
    'credentials/credential-sets.ts': ['credentialSets onEvent'],
    'credentials/stored-clients.ts': ['storedClients onEvent'],
    'replay/kept.ts': ['keptAuthentications onLost'],
    'signing-keys/stored-keys.ts': ['storedKeys onError']
  }
  /** These are handed what has been made harmless already. */
  const internal = [
    'events/event-source.ts',
    'tokens/token-server.ts',
    'certificates/x509/revocation-lists.ts',
    'assertions/dpop-proof.ts',
    'client-request.ts',
    // looks whether there is one
    'http/refusal-log.ts',
    // hands it on to oauthErrorHandler()
    'sign-in/host.ts'
  ]

  it('has every option that takes a listener', () => {
    const lib = new URL('../../lib/', import.meta.url)
    const files = readdirSync(lib, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.ts'))
    const declaring = files.filter(file =>
      /^ {2}(?:readonly )?(?:on[A-Z]\w*|emit|report|dispose)\?: /m.test(readFileSync(new URL(file, lib), 'utf8'))
    )
    const known = [...Object.keys(declared), ...internal]
    expect(declaring.filter(file => !known.includes(file))).toEqual([])
    expect(
      Object.values(declared)
        .flat()
        .filter(name => !(name in answers))
    ).toEqual([])
  })
})
