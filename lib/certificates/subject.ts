/**
 * The one subject a `tls_client_auth` client registered, against the names its certificate carries (RFC 8705 §2.1.2).
 */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { Client } from '../clients/client.ts'
import { credentialSet, isLive, type CertificateSubjectMember, type SubjectOfClient } from '../clients/credentials.ts'
import type { DecisionBuilder } from '../decisions/builder.ts'
import {
  distinguishedNameProblem,
  equalDistinguishedNames,
  formatDistinguishedName,
  parseDistinguishedName,
  type RelativeDistinguishedName
} from './x509/distinguished-name.ts'
import { lowerCaseAscii } from './x509/general-names.ts'
import type { ParsedCertificate } from './x509/certificate.ts'

/** The names of a certificate that a client can register. */
type CertificateNames = Pick<ParsedCertificate, 'subject' | 'sans'>

/** Rule for one registered member: the names it is compared with, and how. */
interface SubjectRule {
  /** The certificate's names of this kind, for the record. */
  readonly names: (certificate: CertificateNames) => readonly string[]
  /** Whether the registered value is one this member can have; undefined where it is, else why not. */
  readonly problem: (registered: string) => string | undefined
  readonly matches: (registered: string, certificate: CertificateNames, subject: SubjectOfClient) => boolean
}

const always = (): undefined => undefined

const rules: ReadonlyMap<CertificateSubjectMember, SubjectRule> = new Map<CertificateSubjectMember, SubjectRule>([
  [
    'tls_client_auth_subject_dn',
    {
      names: ({ subject }) => [formatDistinguishedName(subject)],
      problem: distinguishedNameProblem,
      matches: (registered, { subject }, of) => equalDistinguishedNames(registeredName(registered, of), subject)
    }
  ],
  [
    'tls_client_auth_san_dns',
    {
      names: ({ sans }) => sans.dns,
      problem: always,
      matches: (registered, { sans }) => sans.dns.some(name => lowerCaseAscii(name) === lowerCaseAscii(registered))
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

/**
 * Says what is wrong with a registered subject member (such as `tls_client_auth_subject_dn`), as a clause; undefined
 * when nothing is.
 */
export function certificateSubjectProblem(member: CertificateSubjectMember, value: string): string | undefined {
  return rules.get(member)?.problem(value)
}

/**
 * Passes the check `certificate_subject` where the certificate carries the subject the client registered: a DN as
 * parsed names, RDN by RDN in their order, a DNS name without regard to case, a URI exactly, an IP address as an
 * address, an email with its domain without regard to case. Wildcards in a certificate match nothing but themselves. Of
 * several that may be used now, one is enough.
 *
 * @param now milliseconds since the epoch.
 * @returns the credential that is the subject.
 * @throws {@link InvalidClientError} where it does not, or where the client has no subject.
 */
export function matchSubject(
  client: Client,
  certificate: CertificateNames,
  decision: DecisionBuilder,
  now: number = Date.now()
): SubjectOfClient {
  const section = 'RFC 8705 §2.1.2'
  const registered = credentialSet(client).subjects.filter(subject => isLive(subject, now / 1000))
  const [first] = registered
  // of the members themselves RFC 8705 allows one; what is added beside them has dates, and says what it is for
  if (first === undefined || registered.filter(({ id, member }) => id === member).length > 1) {
    const expected = `exactly one of ${[...rules.keys()].join(', ')}`
    throw decision.refuse('certificate_subject', {
      section,
      expected,
      fix: 'Register exactly one certificate subject for the client.'
    })
  }
  for (const { member, value } of registered) {
    const problem = rules.get(member)?.problem(value)
    if (problem === undefined) continue
    throw decision.refuse('certificate_subject', {
      section,
      received: `${member} ${value}`,
      fix: `Correct the registered ${member}: it ${problem}.`
    })
  }
  const match = registered.find(subject => rules.get(subject.member)?.matches(subject.value, certificate, subject))
  if (match === undefined) {
    const names = rules.get(first.member)?.names(certificate).join(', ') ?? ''
    throw decision.refuse('certificate_subject', {
      section,
      expected: registered.map(({ value }) => value).join(' or '),
      received: names === '' ? 'no such name' : names,
      fix: registered.some(subject => isReversed(subject, certificate))
        ? `Register ${formatDistinguishedName(certificate.subject)}: RFC 4514 writes the most specific name first, and what is registered has it last.`
        : `Present a certificate with the registered ${first.member}, or register the name this one has.`
    })
  }
  decision.pass('certificate_subject')
  return match
}

/**
 * Whether the registered name is the certificate's with the least specific RDN first: as OpenSSL and many portals print
 * names.
 */
function isReversed({ member, value }: SubjectOfClient, { subject }: CertificateNames): boolean {
  if (member !== 'tls_client_auth_subject_dn') return false
  return equalDistinguishedNames(parseDistinguishedName(value).reverse(), subject)
}

const registeredNames = new WeakMap<SubjectOfClient, readonly RelativeDistinguishedName[]>()

function registeredName(value: string, subject: SubjectOfClient): readonly RelativeDistinguishedName[] {
  const known = registeredNames.get(subject)
  if (known !== undefined) return known
  const name = parseDistinguishedName(value)
  registeredNames.set(subject, name)
  return name
}

/**
 * An address in one form whichever way it was written; IPv4-mapped IPv6 is the IPv4 address. Undefined for anything
 * else.
 */
function addressOf(value: string): string | undefined {
  if (isIP(value) === 0 || value.includes('%')) return undefined
  return ipaddr.process(value).toString()
}

function mailbox(email: string): string {
  const at = email.lastIndexOf('@')
  return `${email.slice(0, at + 1)}${lowerCaseAscii(email.slice(at + 1))}`
}
