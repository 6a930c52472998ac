/** The proxies' configurations as docs/certificates.md has them, so that what is written there is what runs here. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const proxyNames = ['nginx', 'haproxy', 'apache'] as const
export type ProxyName = (typeof proxyNames)[number]

/** Whether the proxy refuses what it cannot verify, or passes it on. */
export const variants = ['verifies', 'passes on'] as const
export type Variant = (typeof variants)[number]

/** Where things are on this machine, for one run. */
export interface Places {
  /** The folder of the files that stand below /etc in the document. */
  readonly folder: string
  /** Where the proxy is to listen. */
  readonly port: number
  /** Where the server behind it listens. */
  readonly behind: number
}

const document = readFileSync(fileURLToPath(new URL('../../../docs/certificates.md', import.meta.url)), 'utf8')

/** What each block says of the outside, and nothing else of it may. */
const listeners: Readonly<Record<ProxyName, readonly [documented: string, here: (port: number) => string]>> = {
  nginx: ['listen 443 ssl;', port => `listen 127.0.0.1:${port} ssl;`],
  haproxy: ['bind :443 ssl', port => `bind 127.0.0.1:${port} ssl`],
  apache: ['<VirtualHost *:443>', port => `<VirtualHost 127.0.0.1:${port}>`]
}

/** The block under "```nginx verifies" and its like, word by word. */
export function documentedBlock(proxy: ProxyName, variant: Variant): string {
  const fence = `\n\`\`\`${proxy} ${variant}\n`
  const start = document.indexOf(fence)
  if (start === -1 || document.includes(fence, start + 1))
    throw new Error(`docs/certificates.md must have one block for ${proxy}, ${variant}`)
  return document.slice(start + fence.length, document.indexOf('\n```', start + fence.length) + 1)
}

/** The block with its files and addresses put where they are here: nothing else of it changes. */
export function localBlock(proxy: ProxyName, variant: Variant, { folder, port, behind }: Places): string {
  const [documented, here] = listeners[proxy]
  const block = documentedBlock(proxy, variant)
    .replace(documented, here(port))
    .replaceAll('127.0.0.1:3000', `127.0.0.1:${behind}`)
    .replace(/\/etc\/(?:ssl|haproxy)\/([\w.-]+)/g, `${folder}/$1`)
  if (
    // not a free port that has those digits in it
    /\b443\b/.test(block) ||
    block.includes('/etc/') ||
    !block.includes(`127.0.0.1:${behind}`) ||
    !block.includes(`127.0.0.1:${port}`)
  )
    throw new Error(`the block of ${proxy} names something that is not replaced:\n${block}`)
  return block
}
