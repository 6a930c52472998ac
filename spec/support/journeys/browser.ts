/** The person's browser, as little of one as a journey needs. */
import type { Fetch } from './fetch.ts'

/** Follows a client's authorization request where no page comes in between: one 303, to the client's own address. */
export async function visit(fetch: Fetch, authorizationRequest: URL): Promise<URL> {
  const browser = new Browser(fetch)
  return browser.finish(await browser.open(authorizationRequest))
}

/** What is on the screen. */
export interface Page {
  readonly status: number
  readonly url: URL
  readonly html: string
  /** Where the browser was sent, when that is not the server it was on. */
  readonly leftFor: URL | undefined
}

/** Keeps cookies, follows redirects within one origin, fills in the one form of a page. */
export class Browser {
  private readonly cookies = new Map<string, string>()
  private readonly fetch: Fetch

  constructor(fetch: Fetch) {
    this.fetch = fetch
  }

  async open(url: URL): Promise<Page> {
    return this.go(url, { method: 'GET' })
  }

  /** Submits the page's form: its hidden fields as they are, and what the person filled in. */
  async submit(page: Page, fields: Readonly<Record<string, string>>): Promise<Page> {
    const action = /<form method="post" action="([^"]+)"/.exec(page.html)?.[1]
    if (action === undefined) throw new Error(`no form on this page (${page.status}): ${page.html}`)
    const hidden = [...page.html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)]
    const body = new URLSearchParams(hidden.map(([, name = '', value = '']): [string, string] => [name, value]))
    for (const [name, value] of Object.entries(fields)) body.set(name, value)
    return this.go(new URL(action, page.url), { method: 'POST', body })
  }

  /** The client's address the browser was sent to. */
  finish(page: Page): URL {
    if (page.leftFor === undefined) throw new Error(`still at the server (${page.status}): ${page.html}`)
    return page.leftFor
  }

  private async go(url: URL, init: { readonly method: string; readonly body?: URLSearchParams }): Promise<Page> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await this.fetch(url.href, { ...init, headers: { accept: 'text/html', ...(cookie !== '' && { cookie }) } })
    for (const header of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(header) ?? []
      this.cookies.set(name, value)
    }
    const location = response.headers.get('location')
    if (response.status !== 303 || location === null) {
      return { status: response.status, url, html: await response.text(), leftFor: undefined }
    }
    const next = new URL(location, url)
    return next.origin === url.origin ? this.go(next, { method: 'GET' }) : { status: 303, url, html: '', leftFor: next }
  }
}
