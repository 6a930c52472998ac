/**
 * The chart of a run: a group of bars for each case, each bar a ratio to the floor. `node chart.mjs results.json` draws it again from the JSON of a
 * run.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isSteady } from './report.mjs'

/** What is drawn, and its colour in the light and in the dark. Whoever a case does without is left out of it. */
export const series = [
  { target: 'clientele-create-server', label: 'clientele, on createServer', light: '#1a7f37', dark: '#3fb950' },
  { target: 'clientele', label: 'clientele, in a plain Express app', light: '#6cc67f', dark: '#23863a' },
  { target: 'oidc-provider', label: 'oidc-provider', light: '#0969da', dark: '#4493f8' },
  { target: 'oidc-provider-in-express', label: 'oidc-provider, in an Express app', light: '#80b5f0', dark: '#1f5fae' },
  { target: 'oauth2orize', label: 'oauth2orize + passport', light: '#9a6700', dark: '#d29922' },
  { target: 'node-oauth', label: '@node-oauth/express-oauth-server', light: '#bc4c00', dark: '#db6d28' },
  { target: 'better-auth', label: 'better-auth oauth-provider', light: '#8250df', dark: '#ab7df8' },
  { target: 'hydra', label: 'Ory Hydra (Go)', light: '#116670', dark: '#39c5cf' },
  { target: 'spring-authorization-server', label: 'Spring Authorization Server', light: '#bf3989', dark: '#f778ba' }
]

export const themes = {
  light: { text: '#1f2328', quiet: '#59636e', line: '#d1d9e0', back: '#ffffff' },
  dark: { text: '#f0f6fc', quiet: '#9198a1', line: '#3d444d', back: '#0d1117' }
}

export const width = 880
export const left = 262
export const right = 60
const bar = 10
const gap = 14
const top = 112

/** Escapes what is text in XML. */
export function text(value) {
  return value.replace(/[&<>]/g, character => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[character])
}

/** The groups: the bars of each case, from top to bottom. */
function groupsOf(reports) {
  let y = top
  // of one that is void there is nothing to show
  return reports
    .filter(({ noise }) => isSteady(noise))
    .map(({ title, rows }) => {
      const ratioOf = target => rows.find(row => row.target === target)?.ratios?.floor
      const bars = series.map(one => ({ ...one, ratio: ratioOf(one.target) })).filter(({ ratio }) => ratio !== undefined)
      const group = { title, y, bars, height: bars.length * bar }
      y += group.height + gap
      return group
    })
}

/** A round number of the floor's multiples that has room for the longest bar. */
function scaleOf(groups) {
  const most = Math.max(1, ...groups.flatMap(({ bars }) => bars.map(({ ratio }) => ratio)))
  return Math.ceil(most * 2) / 2
}

/**
 * @param {{ title: string, rows: object[] }[]} reports the cases of a run
 * @param {string} caption when and where
 * @param {'light' | 'dark'} theme
 */
export function chart(reports, caption, theme) {
  const colours = themes[theme]
  const groups = groupsOf(reports)
  const most = scaleOf(groups)
  const x = ratio => left + (ratio / most) * (width - left - right)
  const bottom = groups.reduce((lowest, { y, height }) => Math.max(lowest, y + height), top) + 8
  const height = bottom + 44
  const marks = Array.from({ length: Math.floor(most * 2) + 1 }, (_, index) => index / 2)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" role="img">`,
    '<title>Requests per second, as multiples of the bare Express floor</title>',
    `<rect width="${width}" height="${height}" fill="${colours.back}"/>`,
    `<text x="16" y="26" font-size="15" font-weight="600" fill="${colours.text}">Requests per second, as multiples of a bare Express handler</text>`,
    ...legend(theme),
    ...marks.map(
      mark =>
        `<line x1="${x(mark)}" y1="${top - 6}" x2="${x(mark)}" y2="${bottom}" stroke="${mark === 1 ? colours.text : colours.line}"` +
        `${mark === 1 ? ' stroke-dasharray="3 3"' : ''}/>` +
        `<text x="${x(mark)}" y="${bottom + 14}" text-anchor="middle" fill="${colours.quiet}">${mark}×</text>`
    ),
    ...groups.flatMap(group => drawn(group, x, theme)),
    `<text x="16" y="${height - 10}" font-size="11" fill="${colours.quiet}">${text(caption)}</text>`,
    '</svg>',
    ''
  ].join('\n')
}

function legend(theme) {
  return series.map(({ label, [theme]: colour }, index) => {
    const [x, y] = [16 + (index % 4) * 216, 44 + Math.floor(index / 4) * 20]
    return (
      `<rect x="${x}" y="${y}" width="10" height="10" fill="${colour}"/>` +
      `<text x="${x + 15}" y="${y + 9.5}" font-size="11" fill="${themes[theme].text}">${text(label)}</text>`
    )
  })
}

function drawn({ title, y, bars, height }, x, theme) {
  return [
    `<text x="${left - 10}" y="${y + height / 2 + 4}" text-anchor="end" fill="${themes[theme].text}">${text(title)}</text>`,
    ...bars.map(({ ratio, [theme]: colour }, index) => {
      const at = y + index * bar
      return (
        `<rect x="${left}" y="${at}" width="${(x(ratio) - left).toFixed(1)}" height="${bar - 1}" fill="${colour}"/>` +
        `<text x="${(x(ratio) + 4).toFixed(1)}" y="${at + bar - 2}" font-size="9" fill="${themes[theme].quiet}">${ratio.toFixed(2)}</text>`
      )
    })
  ]
}

/** Writes `chart-light.svg` and `chart-dark.svg` beside this file. */
export function writeCharts(reports, caption) {
  for (const theme of Object.keys(themes))
    writeFileSync(new URL(`chart-${theme}.svg`, import.meta.url), chart(reports, caption, theme))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { cases, caption } = JSON.parse(readFileSync(process.argv[2], 'utf8'))
  writeCharts(cases, caption)
}
