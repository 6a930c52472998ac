/** What the documents are in the site that they are not on their own: links that lead to pages, and diagrams that are drawn. */
import { existsSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { drawSequence, tellSequence } from './sequence.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Documents of the repository that are pages too, beside those of docs/. */
const besideDocs = {
  'site/pages/index.md': 'index.md',
  'README.md': 'start.md',
  'CHANGELOG.md': 'changelog.md',
  'CONTRIBUTING.md': 'contributing.md',
  'SECURITY.md': 'security-reports.md',
  'bench/README.md': 'bench.md'
}

/** The page that a document of the repository is in the site; what is no page stays as it is. */
export function pageOf(file) {
  return besideDocs[file] ?? file.replace(/^docs\//, '').replace(/(?<=^|\/)README\.md$/, 'index.md')
}

/** The address of a file of the repository in the site, or undefined where the site does not have it. */
export function addressOf(file) {
  if (file in besideDocs || /^docs\/.+\.md$/.test(file)) return `/${pageOf(file).replace(/(?:(?<=^|\/)index)?\.md$/, '')}`
  const contents = join(file, 'README.md')
  return existsSync(join(root, contents)) && /^docs\b/.test(file) ? addressOf(contents) : undefined
}

/** The anchors of headings, as GitHub names them: a link works in both places. */
export const slugify = heading =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/ /g, '-')

const pictures = /^(?:docs\/images\/[\w-]+\.png|bench\/chart-[\w-]+\.svg)$/

/** Where something written in a document leads in the site. */
function leads(target, document) {
  if (/^(?:[a-z]+:|#|\/)/.test(target)) return target
  const [path, anchor] = target.split('#')
  const file = relative(root, join(dirname(document), decodeURIComponent(path)))
  const address = pictures.test(file) ? `/${file}` : addressOf(file)
  return address === undefined ? undefined : `${address}${anchor === undefined ? '' : `#${anchor}`}`
}

/** Links to files that are no pages, such as sources, are their names alone; with `repository`, links to it. */
export function linksToPages(md, { repository }) {
  md.core.ruler.push('links-to-pages', ({ tokens, env }) => {
    const document = env.realPath ?? env.path
    for (const { children } of tokens.filter(({ children }) => children)) {
      let isDropped = false
      for (const token of children) {
        if (token.type === 'link_open') {
          const target = token.attrGet('href')
          const address =
            leads(target, document) ?? (repository && `${repository}/${relative(root, join(dirname(document), target))}`)
          isDropped = address === undefined
          if (isDropped) Object.assign(token, { type: 'html_inline', tag: '', content: '<span>', attrs: null })
          else token.attrSet('href', address)
        } else if (token.type === 'link_close' && isDropped) {
          Object.assign(token, { type: 'html_inline', tag: '', content: '</span>' })
          isDropped = false
        }
      }
    }
    for (const token of tokens.flatMap(token => [token, ...(token.children ?? [])])) {
      if (!token.type.startsWith('html_')) continue
      token.content = token.content.replace(/\b(src|srcset)="([^"]+)"/g, (_, name, target) => {
        const address = leads(target, document)
        if (address === undefined) throw new Error(`${document} has a picture that the site has not: ${target}`)
        return `${name}="${address}"`
      })
    }
  })
}

/** Mermaid is drawn here, and told in words below it. */
export function drawnDiagrams(md) {
  const { fence } = md.renderer.rules
  md.renderer.rules.fence = (tokens, at, options, env, self) => {
    const { info, content } = tokens[at]
    if (info.trim() !== 'mermaid') return fence(tokens, at, options, env, self)
    const heading = tokens.slice(0, at).findLast(({ type }) => type === 'heading_open')
    const title = heading === undefined ? 'sequence' : tokens[tokens.indexOf(heading) + 1].content
    const steps = tellSequence(content).map(step => `<li>${md.utils.escapeHtml(step)}</li>`)
    return (
      `<figure class="diagram" tabindex="0" v-pre>${drawSequence(content, `Sequence diagram: ${title}`)}</figure>` +
      `<details class="in-words" v-pre><summary>The diagram in words</summary><ol>${steps.join('')}</ol></details>\n`
    )
  }
}
