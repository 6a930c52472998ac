/** Development mode: what a refused client is told beyond RFC 6749 §5.2, while nobody but its developers can ask. */
import { isCheckName } from '../decisions/decision.ts'
import type { OAuthError } from '../errors.ts'
import { packagedPages } from './check-pages.ts'
import { ConfigurationError, flag, readBy, type Checks, type Read } from '../options.ts'

export interface DevelopmentErrorOptions {
  /**
   * True: the error body of a refused client also has `decision`, the whole record of what was checked, and
   * `error_uri`, the page of the check that failed. It tells an attacker apart what every other refusal keeps together,
   * so it is refused where `NODE_ENV` is `production`. Default false.
   */
  readonly developmentErrors?: boolean | undefined
  /**
   * The address of the pages of docs/errors, such as `https://wiki.example.com/clientele/errors/`: `error_uri`, and
   * the address in the lines of development, is `<check>.md` below it. Default: in development, and with
   * `developmentErrors`, the server's own `{issuer}/errors/<check>`; elsewhere a `file:` URL of the pages that came
   * with the package.
   */
  readonly errorPages?: string | undefined
}

/** The address of a check's page. */
export type ErrorPage = (check: string) => string

const developing = flag(false)

export const developmentErrorChecks = {
  developmentErrors: readBy(developing.takes, (value, key) => {
    const read = developing.read(value, key)
    if (read && process.env['NODE_ENV'] === 'production')
      throw new ConfigurationError(key, 'must not be on where NODE_ENV is production')
    return read
  }),
  errorPages: readBy('a URL, such as https://wiki.example.com/clientele/errors/', readPages)
} satisfies Checks<DevelopmentErrorOptions>

const plainBody = (error: OAuthError): object => error.toJSON()

/** Makes the body that an error is answered with. */
export function errorBody({
  developmentErrors,
  errorPages: pages
}: Read<typeof developmentErrorChecks>): (error: OAuthError) => object {
  if (!developmentErrors) return plainBody
  return error => {
    const { decision } = error
    if (decision === undefined) return error.toJSON()
    const failed = decision.checks.find(({ outcome }) => outcome === 'fail')?.check
    const page = failed !== undefined && isCheckName(failed) ? pages(failed) : undefined
    return { ...error.toJSON(), ...(page !== undefined && { error_uri: page }), decision }
  }
}

function readPages(value: unknown, key: string): ErrorPage {
  if (value === undefined) return pagesBelow(packagedPages)
  if (typeof value !== 'string' || !URL.canParse(value) || !/^(?:https?|file):/.test(value))
    throw new ConfigurationError(key, 'must be a URL, such as https://wiki.example.com/clientele/errors/')
  const url = new URL(value)
  if (url.search !== '' || url.hash !== '') throw new ConfigurationError(key, 'must have neither query nor fragment')
  return pagesBelow(url.pathname.endsWith('/') ? url : new URL(`${url.href}/`))
}

function pagesBelow(base: URL): ErrorPage {
  return check => new URL(`${check}.md`, base).href
}
