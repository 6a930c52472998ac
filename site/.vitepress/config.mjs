import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitepress'
import { nav, sidebar } from '../contents.mjs'
import { drawnDiagrams, linksToPages, pageOf, slugify } from '../markdown.mjs'

/** Where the site is served from, and where its sources can be read, if that is to be linked to. */
const { DOCS_BASE: base = '/', DOCS_REPOSITORY: repository } = process.env

/** The documents are outside of this folder, whose packages their pages need. */
const vueFromHere = {
  name: 'vue-from-here',
  enforce: 'pre',
  resolveId(id, importer, options) {
    const here = fileURLToPath(import.meta.url)
    return /^vue(?:\/|$)/.test(id) && importer !== here ? this.resolve(id, here, { ...options, skipSelf: true }) : undefined
  }
}

export default defineConfig({
  title: 'clientele',
  description: 'OAuth client authentication for Express: every method, a token router, and the authorization server around them',
  lang: 'en',
  base,
  srcDir: '..',
  outDir: '../dist/site',
  cacheDir: 'node_modules/.cache/vitepress',
  srcExclude: ['{cli,coverage,data,deploy,dist,example-app,lib,spec}/**'],
  rewrites: pageOf,
  cleanUrls: true,
  // addresses of the reader's own machine
  ignoreDeadLinks: [/^http:\/\/localhost\b/],
  metaChunk: true,
  markdown: {
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    anchor: { slugify },
    toc: { slugify },
    headers: { slugify },
    languageAlias: { haproxy: 'ini' },
    config(md) {
      linksToPages(md, { repository })
      drawnDiagrams(md)
    }
  },
  vite: {
    plugins: [vueFromHere],
    build: { chunkSizeWarningLimit: 4000 }
  },
  themeConfig: {
    nav,
    sidebar,
    outline: [2, 3],
    search: { provider: 'local' },
    externalLinkIcon: true
  }
})
