/** Development mode: what a refused client is told beyond RFC 6749 §5.2, while nobody but its developers can ask. */
import { isCheckName } from '../decisions/decision.ts'
import type { OAuthError } from '../errors.ts'
import { ConfigurationError, flag, readBy, type Checks, type Read } from '../options.ts'

export interface DevelopmentErrorOptions {
  /**
   * True: the error body of a refused client also has `decision`, the whole record of what was checked, and `error_uri`, the page of the check that failed.
   * It tells an attacker apart what every other refusal keeps together, so it is refused where `NODE_ENV` is `production`. Default false.
   */
  readonly developmentErrors?: boolean | undefined
  /**
   * Where the pages of docs/errors are served, such as `https://wiki.example.com/clientele/errors/`: `error_uri` is `<check>.md` below it. Default: a `file:`
   * URL of the pages that came with the package.
   */
  readonly errorPages?: string | undefined
}

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

/** What to answer an error with. */
export function errorBody({
  developmentErrors,
  errorPages: pages
}: Read<typeof developmentErrorChecks>): (error: OAuthError) => object {
  if (!developmentErrors) return error => error.toJSON()
  return error => {
    const { decision } = error
    if (decision === undefined) return error.toJSON()
    const failed = decision.checks.find(({ outcome }) => outcome === 'fail')?.check
    const page = failed !== undefined && isCheckName(failed) ? new URL(`${failed}.md`, pages).href : undefined
    return { ...error.toJSON(), ...(page !== undefined && { error_uri: page }), decision }
  }
}

function readPages(value: unknown, key: string): URL {
  if (value === undefined) return packagedPages()
  if (typeof value !== 'string' || !URL.canParse(value) || !/^(?:https?|file):/.test(value))
    throw new ConfigurationError(key, 'must be a URL, such as https://wiki.example.com/clientele/errors/')
  const url = new URL(value)
  if (url.search !== '' || url.hash !== '') throw new ConfigurationError(key, 'must have neither query nor fragment')
  return url.pathname.endsWith('/') ? url : new URL(`${url.href}/`)
}

/** docs/errors of the package this file is in, bundled or not: the folder that holds the last `lib` of the way here. */
function packagedPages(): URL {
  return new URL('docs/errors/', import.meta.url.replace(/(?:dist\/)?lib\/(?!(?:.*\/)?lib\/).*$/, ''))
}
