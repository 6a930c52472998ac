/** Bounds on a request that is kept while a person decides on it, whoever sent it. */
import { InvalidRequestError } from '../errors.ts'

/** Characters of a free text: of a `state`, a `nonce`, a hint. */
export const longestText = 2000

/** Seconds a person has for signing in and agreeing, all steps together. */
export const longestInteraction = 3600

/** Bytes of a whole request as it is kept. */
const largestRequest = 8192

/** The request. @throws InvalidRequestError for one that is too large to be kept. */
export function checkSize<R extends object>(request: R): R {
  if (Buffer.byteLength(JSON.stringify(request)) > largestRequest)
    throw new InvalidRequestError(`the request is larger than ${largestRequest} bytes`)
  return request
}

/** The text. @throws InvalidRequestError for one that is too long. */
export function checkLength(name: string, text: string | undefined): string | undefined {
  if (text !== undefined && text.length > longestText)
    throw new InvalidRequestError(`${name} is longer than ${longestText} characters`)
  return text
}
