/** The chart of cold starts: a bar for each target, until a client has its first token. `node chart-start.mjs results.json` draws it again. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { left, right, series, text, themes, width } from './chart.mjs'

/** Beside those of the other chart: what Node and Express cost alone. */
const least = [
  { target: 'node-http', label: 'bare node:http', light: '#818b98', dark: '#656c76' },
  { target: 'floor', label: 'bare Express', light: '#b1bac4', dark: '#4c545e' }
]

const bar = 14
const step = 20
const top = 46

/** A round number of milliseconds that has room for the longest bar, and the marks up to it. */
function scaleOf(bars) {
  const longest = Math.max(...bars.map(({ best }) => best))
  const mark = longest > 1600 ? 500 : 100
  return { most: Math.ceil(longest / mark) * mark, mark }
}

/**
 * @param {{ target: string, node: string, best: number }[]} starts of a run; those of the first Node are drawn
 * @param {'light' | 'dark'} theme
 */
function startChart(starts, caption, theme) {
  const colours = themes[theme]
  const bestOf = name => starts.find(({ target, node }) => target === name && node === starts[0].node)?.best
  const bars = [...least, ...series].map(one => ({ ...one, best: bestOf(one.target) })).filter(({ best }) => best !== undefined)
  const { most, mark } = scaleOf(bars)
  const x = milliseconds => left + (milliseconds / most) * (width - left - right)
  const bottom = top + bars.length * step + 4
  const marks = Array.from({ length: most / mark + 1 }, (_, index) => index * mark)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${bottom + 44}" font-family="system-ui, sans-serif" font-size="12" role="img">`,
    '<title>Milliseconds from the start of the process to the first token</title>',
    `<rect width="${width}" height="${bottom + 44}" fill="${colours.back}"/>`,
    `<text x="16" y="26" font-size="15" font-weight="600" fill="${colours.text}">Milliseconds from the start of the process to the first token, best of ten</text>`,
    ...marks.map(
      at =>
        `<line x1="${x(at)}" y1="${top - 6}" x2="${x(at)}" y2="${bottom}" stroke="${colours.line}"/>` +
        `<text x="${x(at)}" y="${bottom + 14}" text-anchor="middle" fill="${colours.quiet}">${at}</text>`
    ),
    ...bars.map(({ label, best, [theme]: colour }, index) => {
      const y = top + index * step
      return (
        `<text x="${left - 10}" y="${y + bar - 3}" text-anchor="end" fill="${colours.text}">${text(label)}</text>` +
        `<rect x="${left}" y="${y}" width="${(x(best) - left).toFixed(1)}" height="${bar}" fill="${colour}"/>` +
        `<text x="${(x(best) + 4).toFixed(1)}" y="${y + bar - 3}" font-size="10" fill="${colours.quiet}">${Math.round(best)}</text>`
      )
    }),
    `<text x="16" y="${bottom + 34}" font-size="11" fill="${colours.quiet}">${text(caption)}</text>`,
    '</svg>',
    ''
  ].join('\n')
}

/** Writes `chart-start-light.svg` and `chart-start-dark.svg` beside this file. */
export function writeStartCharts(starts, caption) {
  for (const theme of Object.keys(themes))
    writeFileSync(new URL(`chart-start-${theme}.svg`, import.meta.url), startChart(starts, caption, theme))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { startup, caption } = JSON.parse(readFileSync(process.argv[2], 'utf8'))
  writeStartCharts(startup, caption)
}
