/** Reads parameters sent as a JSON object, for the endpoints that were asked to accept one. */
import { InvalidRequestError } from '../errors.ts'
import type { Parameters } from '../client-request.ts'
import { describeName, ParameterCollector, repeatedParameter } from './form.ts'
import { hasDoubledNames, readJson } from './strict-json.ts'
import { asList, isJsonObject } from '../json.ts'

/**
 * Parses a JSON object whose members are all strings; `resource` may be a list of them. The rules of a form hold here
 * too: each name once, an empty string counts as not sent, and the result has no prototype.
 *
 * @param maxParameters how many members are read; one more is an error.
 * @throws {@link InvalidRequestError} for anything that is not such an object: broken JSON, `null`, a list, a member
 * that is not a string, a name written twice, a control character in a value.
 */
export function parseJson(body: Uint8Array, maxParameters = 100): Parameters {
  const read = readJson(body)
  if (read.outcome === 'malformed') throw unreadable[read.cause]()
  const parameters = collectMembers(read.value, maxParameters)
  if (!hasDoubledNames(read.text, read.value)) return parameters
  throw new InvalidRequestError('a parameter was sent more than once', { reason: 'the JSON object has the same name twice' })
}

const unreadable = {
  encoding: () =>
    new InvalidRequestError('the request body must be UTF-8', { reason: 'the JSON body holds bytes that are not UTF-8' }),
  syntax: () => new InvalidRequestError('the request body is not valid JSON', { reason: 'JSON.parse refused the body' })
}

/**
 * Takes the members of an already parsed body, under the same rules.
 *
 * @throws {@link InvalidRequestError} as {@link parseJson} does; a list as a value is a repeated parameter, because
 * that is how form parsers show one.
 */
export function collectMembers(body: unknown, maxParameters: number, withLines?: ReadonlySet<string>): Parameters {
  if (!isJsonObject(body)) {
    throw new InvalidRequestError('the request body must be an object of parameters', {
      reason: `the body is ${kindOf(body)}`
    })
  }
  const collector = new ParameterCollector(maxParameters, withLines)
  for (const [name, value] of Object.entries(body)) {
    if (Array.isArray(value) && name !== 'resource') throw repeatedParameter(name)
    for (const item of asList(value)) collector.add(name, textOf(name, item))
  }
  return collector.parameters
}

function kindOf(body: unknown): string {
  if (body === null) return 'null'
  return Array.isArray(body) ? 'a list' : `a ${typeof body}`
}

function textOf(name: string, value: unknown): string {
  if (typeof value === 'string') return value
  throw new InvalidRequestError(`${describeName(name)} must be a string`, {
    reason: `its value is ${value === null ? 'null' : `of type ${typeof value}`}; only strings are parameters`
  })
}
