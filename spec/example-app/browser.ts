/** As much of a browser as a sign-in needs: cookies by path, forms, and redirects taken one at a time. */

export interface PageSeen {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Where the answer redirects to, absolute. */
  readonly location: string | undefined
  readonly url: string
}

export class Browser {
  /** Real browsers go where a redirect leads as soon as its headers have come. */
  readonly hasty: boolean
  readonly cookies = new Map<string, { value: string; path: string; attributes: string }>()

  constructor({ hasty = false } = {}) {
    this.hasty = hasty
  }

  async get(url: string): Promise<PageSeen> {
    return this.send(url, { method: 'GET' })
  }

  async post(url: string, fields: Record<string, string>): Promise<PageSeen> {
    return this.send(url, { method: 'POST', body: new URLSearchParams(fields) })
  }

  /** Follows redirects while they stay on `origin`; stops at the first page, or at the first address elsewhere. */
  async follow(page: PageSeen, origin = new URL(page.url).origin): Promise<PageSeen> {
    let current = page
    while (current.location !== undefined && new URL(current.location).origin === origin)
      current = await this.get(current.location)
    return current
  }

  /** Submits the page's form as it came, with what the person fills in. */
  async submit(page: PageSeen, filledIn: Record<string, string>): Promise<PageSeen> {
    const action = /<form method="post" action="([^"]+)"/.exec(page.text)?.[1] ?? ''
    return this.post(new URL(action, page.url).href, { ...hiddenFields(page), ...filledIn })
  }

  private async send(url: string, init: RequestInit): Promise<PageSeen> {
    const { pathname } = new URL(url)
    const cookie = [...this.cookies]
      .filter(([, { path }]) => isWithin(pathname, path))
      .map(([name, { value }]) => `${name}=${value}`)
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: cookie.length > 0 ? { cookie: cookie.join('; ') } : {}
    })
    for (const line of response.headers.getSetCookie()) this.keep(line)
    const location = response.headers.get('location')
    const to = location === null ? undefined : new URL(location, url).href
    const leaves = this.hasty && to !== undefined
    if (leaves) void response.text().catch(() => undefined)
    return { status: response.status, headers: response.headers, text: leaves ? '' : await response.text(), location: to, url }
  }

  private keep(line: string): void {
    const [, name = '', value = '', attributes = ''] = /^([^=]+)=([^;]*)(.*)$/.exec(line) ?? []
    this.cookies.set(name, { value, attributes, path: /; *path=([^;]+)/i.exec(attributes)?.[1] ?? '/' })
  }
}

export function hiddenFields(page: PageSeen): Record<string, string> {
  return Object.fromEntries(
    [...page.text.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [
      name,
      value
    ])
  )
}

/** RFC 6265 §5.1.4. */
function isWithin(path: string, cookiePath: string): boolean {
  return path === cookiePath || path.startsWith(cookiePath.endsWith('/') ? cookiePath : `${cookiePath}/`)
}
