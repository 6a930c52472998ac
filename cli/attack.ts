/** `attack`: requests that are wrong in one place, sent to a server that is yours. */
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { attacks, runAttacks, type AttackKey } from 'clientele/testing/attacks'
import { formatAttacks, reportFormats } from './attack-report.ts'
import { command, CommandError, type Terminal } from './command.ts'

const methods = ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt'] as const

export const attackCommand = command({
  arguments: ['URL'],
  options: {
    'client-id': { type: 'string', placeholder: 'ID', help: 'a client of the server that may use client_credentials' },
    method: {
      type: 'string',
      placeholder: 'METHOD',
      values: methods,
      default: 'client_secret_basic',
      help: 'how it authenticates: with a secret or private_key_jwt'
    },
    key: { type: 'string', placeholder: 'FILE', help: 'its private key as a JWK with alg and kid, for private_key_jwt' },
    scope: { type: 'string', placeholder: 'SCOPE', help: 'what the good request asks for' },
    'redirect-uri': { type: 'string', placeholder: 'URI', help: 'one of its redirect URIs' },
    rate: { type: 'string', placeholder: 'N', default: '20', help: 'requests in a second, at most 100' },
    yes: { type: 'boolean', help: 'do not ask before a server that is not on this machine' },
    format: { type: 'string', values: reportFormats, default: 'text', help: 'how the report is written' }
  },
  description: `Sends the server at the issuer URL some 200 to 350 requests that it must refuse, one after the other, and tells which it
lets through or breaks at, and which do not apply to it. The client's secret is read from CLIENT_SECRET. Attack servers that are yours alone.
Ends with 0 where no rule was found broken, with 1 where one was, and with 2 where it could not be tried.`,
  async run({ arguments: [issuer = ''], options, terminal }) {
    const { 'client-id': client_id, method, scope, 'redirect-uri': redirect_uri, format } = options
    if (client_id === undefined) throw new CommandError('--client-id must be given')
    const pause = pauseOf(options.rate)
    const keys = method === 'private_key_jwt' ? readKey(options.key) : undefined
    const client_secret = keys === undefined ? terminal.env['CLIENT_SECRET'] : undefined
    if (keys === undefined && client_secret === undefined) throw new CommandError('CLIENT_SECRET must be set')
    await confirm(issuer, options.yes, terminal)
    const client = { client_id, client_secret, token_endpoint_auth_method: method, scope, redirect_uri }
    const cases = await attacks({ issuer: issuer.replace(/\/$/, ''), client, keys }).catch((error: unknown) => {
      throw new CommandError(`could not attack ${issuer}: ${error instanceof TypeError ? error.message : 'it does not answer'}`)
    })
    const report = await runAttacks(cases, pause)
    terminal.out(formatAttacks(report, format, issuer))
    return report.findings.some(({ level }) => level === 'error') ? 1 : 0
  }
})

/** Milliseconds between two requests. */
function pauseOf(rate: string): number {
  const number = Number(rate)
  if (!(number > 0 && number <= 100)) throw new CommandError('--rate must be a number greater than 0, and at most 100')
  return 1000 / number
}

function readKey(path: string | undefined): AttackKey {
  if (path === undefined) throw new CommandError('--key must be given for private_key_jwt')
  try {
    const jwk = JSON.parse(readFileSync(path, 'utf8')) as AttackKey['jwk']
    if (typeof jwk.alg === 'string' && typeof jwk['d'] === 'string') return { jwk }
  } catch {
    // said below
  }
  throw new CommandError('--key must be the path of a private key as a JWK, with alg')
}

/** Nobody's server is attacked by a slip of the keyboard. */
async function confirm(address: string, isYes: boolean, terminal: Terminal): Promise<void> {
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol))
    throw new CommandError('URL must be an http or https URL')
  const { hostname } = new URL(address)
  if (isYes || /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(hostname)) return
  if (terminal.stdin.isTTY !== true)
    throw new CommandError(`${hostname} is not this machine: say --yes where the server is yours`)
  const lines = createInterface({ input: terminal.stdin })
  terminal.err(`${hostname} is not this machine. Is the server yours, and may it be attacked? Type its name to go on: `)
  const answer = await lines.question('')
  lines.close()
  if (answer.trim() !== hostname) throw new CommandError('nothing was sent')
}
