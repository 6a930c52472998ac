/** Rules about what stands around a server: its listeners, its proxies, the issuers it trusts. */
import { methodFacts } from '../clients/methods.ts'
import { spotAt, type Rule } from './finding.ts'
import { clientsOf, type LintedOptions } from './linted-options.ts'

const month = 30 * 86_400_000

/** The rules. */
export const deploymentRules: readonly Rule<LintedOptions>[] = [
  {
    id: 'setting_without_effect',
    level: 'warning',
    section: 'options',
    fix: 'Correct it or take it out.',
    find: ({ deployment }) => (deployment?.warnings ?? []).map(({ where, message }) => ({ where, message }))
  },
  {
    id: 'certificates_unverified',
    level: 'error',
    section: 'RFC 8705 §2.1',
    fix: 'Name the authorities that issue client certificates in tls.client_ca.',
    find: options => {
      const { deployment } = options
      if (deployment === undefined || deployment.hasClientAuthorities === true) return []
      return clientsOf(options).flatMap(({ client, path }) => {
        const facts = methodFacts.get(client.token_endpoint_auth_method ?? '')
        const goesBySubject = facts?.certificate === true && facts.accepts.includes('subject')
        return spotAt(
          `${path}.token_endpoint_auth_method`,
          goesBySubject && 'No authority is trusted: anybody can make a certificate with this subject'
        )
      })
    }
  },
  {
    id: 'everyone_is_a_proxy',
    level: 'error',
    section: 'RFC 9440 §4',
    fix: 'Name the addresses of the proxies alone.',
    find: ({ deployment }) =>
      (deployment?.trustedProxies ?? []).flatMap((network, index) => {
        const [address = '', bits] = network.split('/')
        const most = address.includes(':') ? 32 : 8
        return spotAt(
          `client_certificate_header.trusted_proxies[${index}]`,
          bits !== undefined && Number(bits) < most && 'Nearly everybody may say which client certificate was presented'
        )
      })
  },
  {
    id: 'certificate_expiring',
    level: 'error',
    section: 'RFC 5280 §4.1.2.5',
    fix: 'Renew it.',
    find: ({ deployment }) =>
      (deployment?.certificates ?? []).flatMap(({ where, expires }) => {
        const left = expires - Date.now()
        if (left <= 0) return spotAt(where, 'The certificate has expired')
        const days = Math.floor(left / 86_400_000)
        return spotAt(where, left < month && `The certificate expires in ${days} days`, 'warning')
      })
  },
  {
    id: 'trusts_itself',
    level: 'error',
    section: 'RFC 7523 §3',
    fix: 'Take this server out: its own tokens are exchanged without that, and not as assertions.',
    find: ({ issuer, deployment }) =>
      (deployment?.trustedIssuers ?? []).flatMap((trusted, index) =>
        spotAt(
          `trusted_issuers[${index}].issuer`,
          trusted === issuer && 'Tokens of this server count as the word of another about people'
        )
      )
  }
]
