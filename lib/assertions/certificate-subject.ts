/** The one subject a `tls_client_auth` client registered, against the names its certificate carries (RFC 8705 §2.1.2). */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { Client } from '../client.ts'
import type { DecisionBuilder } from '../decision.ts'
import {
  distinguishedNameProblem,
  equalDistinguishedNames,
  formatDistinguishedName,
  parseDistinguishedName,
  type RelativeDistinguishedName
} from './distinguished-name.ts'
import type { ParsedCertificate } from './parsed-certificate.ts'

/** What one registered member is compared with, and how. */
interface SubjectRule {
  /** The certificate's names of this kind, for the record. */
  readonly names: (certificate: ParsedCertificate) => readonly string[]
  /** Whether the registered value is one this member can have; undefined where it is, else why not. */
  readonly problem: (registered: string) => string | undefined
  readonly matches: (registered: string, certificate: ParsedCertificate, client: Client) => boolean
}

const always = (): undefined => undefined

type SubjectMember = `tls_client_auth_${'subject_dn' | 'san_dns' | 'san_uri' | 'san_ip' | 'san_email'}`

const rules: ReadonlyMap<SubjectMember, SubjectRule> = new Map<SubjectMember, SubjectRule>([
  [
    'tls_client_auth_subject_dn',
    {
      names: ({ subject }) => [formatDistinguishedName(subject)],
      problem: distinguishedNameProblem,
      matches: (registered, { subject }, client) => equalDistinguishedNames(registeredName(registered, client), subject)
    }
  ],
  [
    'tls_client_auth_san_dns',
    {
      names: ({ sans }) => sans.dns,
      problem: always,
      matches: (registered, { sans }) => sans.dns.some(name => asciiLowerCase(name) === asciiLowerCase(registered))
    }
  ],
  [
    'tls_client_auth_san_uri',
    { names: ({ sans }) => sans.uri, problem: always, matches: (registered, { sans }) => sans.uri.includes(registered) }
  ],
  [
    'tls_client_auth_san_ip',
    {
      names: ({ sans }) => sans.ip,
      problem: registered => (addressOf(registered) === undefined ? 'is not an IP address' : undefined),
      matches: (registered, { sans }) => sans.ip.some(address => addressOf(address) === addressOf(registered))
    }
  ],
  [
    'tls_client_auth_san_email',
    {
      names: ({ sans }) => sans.email,
      problem: registered => (registered.includes('@') ? undefined : 'is not an email address'),
      matches: (registered, { sans }) => sans.email.some(email => mailbox(email) === mailbox(registered))
    }
  ]
])

/** Says what is wrong with a registered subject member (such as `tls_client_auth_subject_dn`), as a clause; undefined when nothing is. */
export function certificateSubjectProblem(member: SubjectMember, value: string): string | undefined {
  return rules.get(member)?.problem(value)
}

/**
 * Passes the check `certificate_subject` where the certificate carries the one subject the client registered: a DN as parsed
 * names, a DNS name without regard to case, a URI exactly, an IP address as an address, an email with its domain without regard to case.
 * Wildcards in a certificate match nothing but themselves.
 *
 * @throws {@link InvalidClientError} where it does not, or where the registration has not exactly one subject.
 */
export function matchSubject(client: Client, certificate: ParsedCertificate, decision: DecisionBuilder): void {
  const section = 'RFC 8705 §2.1.2'
  const registered = [...rules.keys()].filter(member => client[member] !== undefined)
  const [member] = registered
  const value = member && client[member]
  const rule = member && rules.get(member)
  if (rule === undefined || value === undefined || registered.length !== 1) {
    const expected = `exactly one of ${[...rules.keys()].join(', ')}`
    throw decision.refuse('certificate_subject', {
      section,
      expected,
      fix: 'Register exactly one certificate subject for the client.'
    })
  }
  const problem = rule.problem(value)
  if (problem !== undefined) {
    throw decision.refuse('certificate_subject', {
      section,
      received: `${member} ${value}`,
      fix: `Correct the registered ${member}: it ${problem}.`
    })
  }
  if (!rule.matches(value, certificate, client)) {
    const received = rule.names(certificate).join(', ') || 'no such name'
    const fix = `Present a certificate with the registered ${member}, or register the name this one has.`
    throw decision.refuse('certificate_subject', { section, expected: value, received, fix })
  }
  decision.pass('certificate_subject')
}

const registeredNames = new WeakMap<Client, readonly RelativeDistinguishedName[]>()

function registeredName(value: string, client: Client): readonly RelativeDistinguishedName[] {
  const known = registeredNames.get(client)
  if (known !== undefined) return known
  const name = parseDistinguishedName(value)
  registeredNames.set(client, name)
  return name
}

/** An address in one form whichever way it was written; IPv4-mapped IPv6 is the IPv4 address. Undefined for anything else. */
function addressOf(value: string): string | undefined {
  if (isIP(value) === 0 || value.includes('%')) return undefined
  return ipaddr.process(value).toString()
}

function mailbox(email: string): string {
  const at = email.lastIndexOf('@')
  return `${email.slice(0, at + 1)}${asciiLowerCase(email.slice(at + 1))}`
}

/** Not toLowerCase: that maps characters outside ASCII onto letters inside it. */
function asciiLowerCase(value: string): string {
  return value.replace(/[A-Z]/g, letter => letter.toLowerCase())
}
