/** Rules about how a running server refuses, and about the MCP server or API in front of which it stands. */
import { parseJsonObject } from '../json.ts'
import { spotAt, type Problem, type Rule, type Spot } from './finding.ts'
import { stringsOf } from './linted-options.ts'
import type { Look } from './look.ts'
import { elsewhere, type SeenResource, type SeenServer } from './seen-server.ts'

/** A rule about one answer, where there was one. */
function about(
  which: 'refusal' | 'got' | 'authorization',
  problem: (look: Look) => Problem
): (seen: SeenServer) => readonly Spot[] {
  return seen => {
    const look = seen[which]
    return look === undefined ? [] : spotAt(new URL(look.url).origin + new URL(look.url).pathname, problem(look))
  }
}

const refusals: readonly Rule<SeenServer>[] = [
  {
    id: 'unknown_client_not_refused',
    level: 'error',
    section: 'RFC 6749 §5.2',
    fix: 'Answer failed client authentication with 401 and invalid_client.',
    find: about(
      'refusal',
      ({ status }) => status !== 401 && `A client nobody has, with a secret in the Authorization header, is answered ${status}`
    )
  },
  {
    id: 'refusal_without_challenge',
    level: 'error',
    section: 'RFC 6749 §5.2',
    fix: 'Send WWW-Authenticate: Basic with a 401 to a client that used the Authorization header.',
    find: about('refusal', ({ status, headers }) => {
      const namesBasic = /^basic\b/i.test(headers.get('www-authenticate') ?? '')
      return status === 401 && !namesBasic && 'The refusal does not name the scheme Basic'
    })
  },
  {
    id: 'refusal_malformed',
    level: 'error',
    section: 'RFC 6749 §5.2',
    fix: 'Answer with a JSON object that has error, as application/json.',
    find: about('refusal', ({ headers, text }) => {
      const isJson = /^application\/json\b/i.test(headers.get('content-type') ?? '')
      const hasError = typeof parseJsonObject(text)?.['error'] === 'string'
      return !(isJson && hasError) && 'The refusal is no JSON error: clients cannot read it'
    })
  },
  {
    id: 'token_answers_cacheable',
    // a refusal is all that is seen: what has tokens in it may be another thing
    level: 'warning',
    section: 'RFC 6749 §5.1',
    fix: 'Send Cache-Control: no-store with everything the token endpoint answers.',
    find: about(
      'refusal',
      ({ headers }) =>
        !/\bno-store\b/i.test(headers.get('cache-control') ?? '') &&
        'What the token endpoint refuses with may be cached, and so may be its tokens'
    )
  },
  {
    id: 'token_endpoint_by_get',
    level: 'error',
    section: 'RFC 6749 §3.2',
    fix: 'Answer POST alone: addresses with secrets in them end in logs.',
    find: about('got', ({ status, text }) => {
      const isAnswered = status < 400 || parseJsonObject(text)?.['error'] === 'invalid_client'
      return isAnswered && `GET is answered ${status} by the token endpoint`
    })
  },
  {
    id: 'redirects_to_strangers',
    level: 'error',
    section: 'RFC 6749 §4.1.2.1',
    fix: 'Show a page where the client or its redirect URI is not known; never redirect.',
    find: about('authorization', ({ status, headers }) => {
      const isRedirect = status >= 300 && status < 400
      return (
        isRedirect &&
        (headers.get('location') ?? '').startsWith(elsewhere) &&
        'Whoever makes up a client can send people to any address through this server'
      )
    })
  },
  {
    id: 'pages_frameable',
    // the page that is seen has nothing to click; those that have may be others
    level: 'warning',
    section: 'RFC 9700 §4.16',
    fix: "Send Content-Security-Policy: frame-ancestors 'none' with every page.",
    find: about('authorization', ({ status, headers }) => {
      const isPage = /html/i.test(headers.get('content-type') ?? '') && (status < 300 || status >= 400)
      const policy = headers.get('content-security-policy') ?? ''
      const isFrameable = !/frame-ancestors/i.test(policy) && headers.get('x-frame-options') === null
      return isPage && isFrameable && 'The page can be framed, and people made to click what they do not see'
    })
  },
  {
    id: 'unanswered',
    level: 'warning',
    section: 'RFC 8414 §2',
    fix: 'Answer at every address of the metadata, within 5 s and without a redirect.',
    find: ({ unanswered }) =>
      unanswered.map(({ url, reason }) => ({ where: url, message: `Nothing could be seen here: ${reason}` }))
  }
]

/** A rule about the MCP server, where there is one. */
function aboutResource(problem: (resource: SeenResource, seen: SeenServer) => Problem): (seen: SeenServer) => readonly Spot[] {
  return seen => (seen.resource === undefined ? [] : spotAt(seen.resource.url, problem(seen.resource, seen)))
}

const challengeOf = ({ refusal }: SeenResource): string => refusal?.headers.get('www-authenticate') ?? ''

const mcp: readonly Rule<SeenServer>[] = [
  {
    id: 'mcp_resource_unknown',
    level: 'error',
    section: 'RFC 9728 §3',
    profile: 'mcp',
    fix: 'Serve protected resource metadata at /.well-known/oauth-protected-resource and the path of the MCP server.',
    find: ({ resource, given }) =>
      spotAt(
        resource?.url ?? given,
        resource?.metadata === undefined && 'There is no protected resource metadata: clients cannot find this server'
      )
  },
  {
    id: 'mcp_resource_mismatch',
    level: 'error',
    section: 'RFC 9728 §3.3',
    profile: 'mcp',
    fix: 'Let resource be the address people give their clients, to the letter.',
    find: aboutResource(
      ({ url, metadata }) =>
        metadata !== undefined &&
        metadata.body['resource'] !== url &&
        'Its metadata names another resource, and clients refuse it'
    )
  },
  {
    id: 'mcp_authorization_server_unnamed',
    level: 'error',
    section: 'RFC 9728 §2',
    profile: 'mcp',
    fix: 'Name the issuer in authorization_servers.',
    find: aboutResource(({ metadata }, seen) => {
      const issuer = seen.metadata.body['issuer']
      const named = stringsOf(metadata?.body['authorization_servers'])
      return (
        metadata !== undefined && !named.some(one => one === issuer) && 'Its metadata does not name this authorization server'
      )
    })
  },
  {
    id: 'mcp_refusal_without_challenge',
    level: 'error',
    section: 'RFC 6750 §3',
    profile: 'mcp',
    fix: 'Answer a request without a token with 401 and a WWW-Authenticate that begins with Bearer.',
    find: aboutResource(resource => {
      const isChallenged = resource.refusal?.status === 401 && /^bearer\b/i.test(challengeOf(resource))
      return resource.refusal !== undefined && !isChallenged && 'A request without a token gets no Bearer challenge'
    })
  },
  {
    id: 'mcp_challenge_without_metadata',
    level: 'error',
    section: 'RFC 9728 §5.1',
    profile: 'mcp',
    fix: 'Send resource_metadata with the challenge.',
    find: aboutResource(
      resource =>
        resource.refusal?.status === 401 &&
        !challengeOf(resource).includes('resource_metadata="') &&
        'The challenge does not say where the metadata is'
    )
  },
  {
    id: 'mcp_challenge_without_scope',
    level: 'warning',
    section: 'RFC 6750 §3',
    profile: 'mcp',
    fix: 'Send scope with the challenge: the values that are always needed.',
    find: aboutResource(
      resource =>
        resource.refusal?.status === 401 &&
        !/\bscope="/.test(challengeOf(resource)) &&
        'The challenge does not say which scope to ask for'
    )
  },
  {
    id: 'mcp_client_documents_not_offered',
    level: 'warning',
    section: 'MCP authorization, Client Registration',
    profile: 'mcp',
    fix: 'Accept client documents, and say so: client_id_metadata_document_supported.',
    find: ({ metadata: { url, body } }) =>
      spotAt(
        `${url}#client_id_metadata_document_supported`,
        body['client_id_metadata_document_supported'] !== true && 'Clients that were never registered here cannot connect'
      )
  },
  {
    id: 'mcp_metadata_not_readable',
    level: 'warning',
    section: 'RFC 8414 §3.2',
    profile: 'mcp',
    fix: 'Send Access-Control-Allow-Origin: * with both metadata documents.',
    find: ({ metadata, resource }) =>
      [metadata, resource?.metadata].flatMap(document =>
        document?.headers.get('access-control-allow-origin') === null
          ? [{ where: document.url, message: 'Clients in a browser cannot read the document' }]
          : []
      )
  }
]

/** The rules. */
export const behaviourRules: readonly Rule<SeenServer>[] = [...refusals, ...mcp]
