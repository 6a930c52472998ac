/** Reads parameters sent as a JSON object, for the endpoints that were asked to accept one. */
import { InvalidRequestError } from '../errors.ts'
import type { Parameters } from '../client-request.ts'
import { decodeUtf8, describeName, ParameterCollector, repeatedParameter } from './form.ts'

/**
 * Parses a JSON object whose members are all strings; `resource` may be a list of them. The rules of a form hold here
 * too: each name once, an empty string counts as not sent, and the result has no prototype.
 *
 * @param maxParameters how many members are read; one more is an error.
 * @throws {@link InvalidRequestError} for anything that is not such an object: broken JSON, `null`, a list, a member that is
 * not a string, a name written twice, a control character in a value.
 */
export function parseJson(body: Uint8Array, maxParameters = 100): Parameters {
  const text = decodeUtf8(body)
  if (text === undefined) {
    throw new InvalidRequestError('the request body must be UTF-8', { reason: 'the JSON body holds bytes that are not UTF-8' })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // the parser's own message quotes the body, which holds secrets: it goes nowhere
    throw new InvalidRequestError('the request body is not valid JSON', { reason: 'JSON.parse refused the body' })
  }
  const parameters = collectMembers(value, maxParameters)
  refuseDoubledNames(text, value as object)
  return parameters
}

/**
 * Takes the members of an already parsed body, under the same rules.
 *
 * @throws {@link InvalidRequestError} as {@link parseJson} does; a list as a value is a repeated parameter, because that is
 * how form parsers show one.
 */
export function collectMembers(body: unknown, maxParameters: number): Parameters {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new InvalidRequestError('the request body must be an object of parameters', {
      reason: `the body is ${body === null ? 'null' : Array.isArray(body) ? 'a list' : `a ${typeof body}`}`
    })
  }
  const collector = new ParameterCollector(maxParameters)
  for (const [name, value] of Object.entries(body as Record<string, unknown>)) {
    if (Array.isArray(value) && name !== 'resource') throw repeatedParameter(name)
    const values: readonly unknown[] = Array.isArray(value) ? value : [value]
    for (const item of values) collector.add(name, textOf(name, item))
  }
  return collector.parameters
}

function textOf(name: string, value: unknown): string {
  if (typeof value === 'string') return value
  throw new InvalidRequestError(`${describeName(name)} must be a string`, {
    reason: `its value is ${value === null ? 'null' : `of type ${typeof value}`}; only strings are parameters`
  })
}

/**
 * `JSON.parse` keeps the last of two members with one name, where another reader of the same bytes may keep the first.
 * In a flat object of strings the text has exactly two string literals per member, four quotes, and one for each
 * further item of a list; any more is a name written twice.
 */
function refuseDoubledNames(text: string, members: object): void {
  const quotes = text.replace(/\\./g, '').split('"').length - 1
  const literals = Object.values(members).reduce(
    (sum: number, value: unknown) => sum + 1 + (Array.isArray(value) ? value.length : 1),
    0
  )
  if (quotes === 2 * literals) return
  throw new InvalidRequestError('a parameter was sent more than once', { reason: 'the JSON object has the same name twice' })
}
