/** Registrations of clients that a server must not take as they are (RFC 7591, OpenID Connect Registration). */
import { offeredResponseType } from './announced.ts'
import { isRefused, membersOf, type Attempt } from './case.ts'
import { endpointOf, strangersKey } from './target.ts'

/** Documents of clients, and the section each breaks. */
const documents: readonly (readonly [section: string, document: object])[] = [
  ...['javascript:alert(1)', 'http://attacker.invalid/', 'https://a.example/#x', 'data:text/html,x', 'not a uri'].map(
    uri => ['RFC 7591 §5', { redirect_uris: [uri] }] as const
  ),
  ['RFC 7591 §2', { redirect_uris: 'https://a.example/' }],
  ['RFC 7591 §2', { redirect_uris: [] }],
  ['RFC 7591 §2', { redirect_uris: ['https://a.example/'], jwks: { keys: [strangersKey().privateJwk] } }],
  ['RFC 7591 §2', { redirect_uris: ['https://a.example/'], jwks: { keys: [] }, jwks_uri: 'https://a.example/jwks' }],
  [
    'OpenID Connect Registration §2',
    {
      redirect_uris: ['https://a.example/'],
      jwks_uri: 'http://169.254.169.254/latest/meta-data',
      token_endpoint_auth_method: 'private_key_jwt'
    }
  ],
  ['RFC 7591 §3.1', []]
]

function registration(section: string, document: object): Attempt {
  return {
    name: `of ${JSON.stringify(document).slice(0, 90)}`,
    section,
    wires: target => [
      {
        url: endpointOf(target, 'registration_endpoint') ?? '',
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(document)
      }
    ]
  }
}

/** The cases. */
export const registrations: readonly Attempt[] = [
  ...documents.map(([section, document]) => registration(section, document)),
  {
    ...registration('RFC 9700 §2.1.2', {
      ...{ redirect_uris: ['https://a.example/'], response_types: ['token'], grant_types: ['implicit'] }
    }),
    ignorable: offeredResponseType('token'),
    // a server may register less than was asked for, and says so (RFC 7591 §2)
    refused: answer =>
      isRefused(answer) || (answer.status === 201 && ![membersOf(answer)['response_types']].flat().includes('token'))
  }
]
