/**
 * What must be true of the built site: every link inside of it leads to a page and a heading that are there, every document is a page, and no page
 * asks anybody else for anything.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { addressOf } from './markdown.mjs'
import { listed } from './contents.mjs'
import { out, root } from './places.mjs'

const files = new Set(readdirSync(out, { recursive: true }).map(name => name.split('\\').join('/')))
const pages = [...files].filter(name => name.endsWith('.html'))
const texts = new Map(pages.map(name => [name, readFileSync(join(out, name), 'utf8')]))
const anchors = new Map(
  [...texts].map(([name, text]) => [name, new Set([...text.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => unescape(id)))])
)

function unescape(text) {
  return text.replace(
    /&(?:amp|quot|lt|gt|#39);/g,
    sign => ({ '&amp;': '&', '&quot;': '"', '&lt;': '<', '&gt;': '>', '&#39;': "'" })[sign]
  )
}

/** The file that is served for an address: as it is named, its page, or the first page of its folder. */
function fileOf(address) {
  const path = decodeURIComponent(address).replace(/^\//, '')
  return [path, `${path}.html`, posix.join(path, 'index.html')].find(name => files.has(name))
}

function problemOf(page, link) {
  const url = new URL(unescape(link), `http://site/${page.replace(/(?:index)?\.html$/, '')}`)
  if (url.origin !== 'http://site') return undefined
  const file = fileOf(url.pathname)
  if (file === undefined) return `${page} links to ${link}, and there is no such page`
  const anchor = decodeURIComponent(url.hash.slice(1))
  const known = anchors.get(file)
  // the reference makes the anchors of some members when it is opened
  const isKnown = anchor === '' || known === undefined || file.startsWith('api/') || known.has(anchor)
  return isKnown ? undefined : `${page} links to ${link}, and there is no such heading`
}

/** What a page is made of, and the style sheets and scripts among it. */
const parts = /<(?:script|img|source|iframe|link)\b[^>]*?\s(?:src|srcset|href)="([^"]+)"/g

export function problems() {
  const found = []
  for (const [page, text] of texts) {
    for (const [, link] of text.matchAll(/<a\b[^>]*?\shref="([^"]*)"/g)) found.push(problemOf(page, link))
    for (const [whole, link] of text.matchAll(parts)) {
      if (/^(?:https?:)?\/\//.test(link) && !/rel="canonical"/.test(whole))
        found.push(`${page} is made of ${link}, which is elsewhere`)
      else found.push(problemOf(page, link))
    }
  }
  for (const name of [...files].filter(name => name.endsWith('.css'))) {
    const [, url] = /(?:@import|url\()\s*['"]?((?:https?:)?\/\/[^'")]+)/.exec(readFileSync(join(out, name), 'utf8')) ?? []
    if (url !== undefined) found.push(`${name} asks for ${url}`)
  }
  const documents = readdirSync(join(root, 'docs'), { recursive: true }).filter(name => name.endsWith('.md'))
  for (const address of documents.map(name => addressOf(`docs/${name}`))) {
    if (fileOf(address) === undefined) found.push(`there is no page ${address}`)
  }
  for (const address of listed)
    if (fileOf(address) === undefined) found.push(`the contents lead to ${address}, and there is no such page`)
  return { pages: pages.length, problems: [...new Set(found.filter(one => one !== undefined))] }
}
