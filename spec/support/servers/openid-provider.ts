/** oidc-provider: a server nobody here wrote, in a process of its own. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { JWK } from 'jose'
import type { Browser, PageSeen } from '../../example-app/browser.ts'
import { freePort } from '../processes/free-port.mjs'

const script = fileURLToPath(new URL('openid-provider.mjs', import.meta.url))

export interface OpenidProvider {
  readonly issuer: string
  /** Fills in one of its pages, as somebody who is called this. */
  fill(browser: Browser, page: PageSeen, name?: string): Promise<PageSeen>
  stop(): Promise<void>
}

/** @param attester the public key of who vouches for instances of its clients. */
export async function startOpenidProvider(clients: readonly object[], attester?: JWK): Promise<OpenidProvider> {
  const port = await freePort()
  const args = [script, String(port), JSON.stringify(clients), ...(attester === undefined ? [] : [JSON.stringify(attester)])]
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'ignore'] })
  if (child.stdout !== null)
    await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => Promise.reject(new Error('it ended')))])
  return {
    issuer: `http://localhost:${port}`,
    async fill(browser, page, name = 'gardener') {
      const action = /action="([^"]+)"/.exec(page.text)?.[1] ?? ''
      const prompt = /name="prompt" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
      const signIn = prompt === 'login' && { login: name, password: 'x' }
      return browser.post(new URL(action, page.url).href, { prompt, ...signIn })
    },
    async stop() {
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
  }
}
