/** Everything in a run's requests and answers that must never be read again anywhere else. */
import type { JSONWebKeySet } from 'jose'
import type { PrivateKeySet } from 'clientele'
import type { Sent } from './fetch.ts'

const secretParameters = [
  ...['client_secret', 'client_assertion', 'code', 'code_verifier', 'refresh_token', 'password', 'token'],
  ...['assertion', 'subject_token', 'actor_token', 'device_code', 'auth_req_id', 'client_notification_token']
]
const secretMembers = [
  ...['access_token', 'refresh_token', 'id_token', 'client_secret', 'registration_access_token'],
  ...['device_code', 'auth_req_id']
]
/** Shorter ones appear by accident. */
const shortest = 8

/** The secrets of these requests and answers, in every spelling a log could have them. */
export function secretsOf(sent: readonly Sent[]): ReadonlySet<string> {
  const found = new Set<string>()
  for (const { url, headers, body, answer, cookies, location } of sent) {
    for (const parameters of [body, new URL(url).searchParams]) {
      for (const name of secretParameters) parameters.getAll(name).forEach(value => addSpellings(found, value))
    }
    const [, scheme = '', credentials = ''] = /^(\S+) (.*)$/.exec(headers.get('authorization') ?? '') ?? []
    addSpellings(found, credentials)
    if (scheme === 'Basic') addBasic(found, credentials)
    addSpellings(found, headers.get('dpop') ?? '')
    for (const cookie of [...(headers.get('cookie') ?? '').split('; '), ...(cookies ?? []).map(set => set.split(';')[0] ?? '')])
      addSpellings(found, cookie.slice(cookie.indexOf('=') + 1))
    if (location !== undefined && URL.canParse(location)) {
      for (const part of [new URL(location).searchParams, new URLSearchParams(new URL(location).hash.slice(1))])
        for (const name of ['code', 'id_token', 'response']) addSpellings(found, part.get(name) ?? '')
    }
    const members = readJson(answer)
    for (const name of secretMembers) if (typeof members[name] === 'string') addSpellings(found, members[name])
  }
  return found
}

/** The private members of the server's own keys. */
export function privateMembersOf(keys: PrivateKeySet | JSONWebKeySet): readonly string[] {
  return keys.keys.flatMap(key => [key.d, key.k, key.p, key.q]).filter(value => value !== undefined)
}

/** A value as it is, as URLs, forms and JSON write it; of a token also its last part, which is what makes it one. */
export function addSpellings(found: Set<string>, value: string): void {
  const form = new URLSearchParams({ value }).toString().slice('value='.length)
  const last = value.slice(value.lastIndexOf('.') + 1)
  const spellings = [value, last, form, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)]
  for (const spelling of spellings) if (spelling.length >= shortest) found.add(spelling)
}

function addBasic(found: Set<string>, credentials: string): void {
  const decoded = Buffer.from(credentials, 'base64').toString()
  addSpellings(found, decoded)
  const secret = decoded.slice(decoded.indexOf(':') + 1)
  addSpellings(found, secret)
  addSpellings(found, new URLSearchParams(`secret=${secret}`).get('secret') ?? '')
}

function readJson(answer: string): Readonly<Record<string, unknown>> {
  return answer.startsWith('{') ? (JSON.parse(answer) as Readonly<Record<string, unknown>>) : {}
}
