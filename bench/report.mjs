/** Turns rounds into rows, and rows into Markdown. */

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/**
 * CPU time per answer as the windows at the quiet end have it, a tenth of them below: medians of two runs of one build differ by a quarter
 * where this differs by a twentieth.
 */
export function quietest(rounds) {
  const sorted = rounds.map(({ cpu }) => cpu).sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 10)]
}

const isGood = rounds => rounds?.every(({ fault }) => fault === undefined) === true

/**
 * One row per target. A ratio is the median of the ratios within each round, so that a slow spell of the machine weighs on
 * both sides of it.
 *
 * @param {Record<string, object[]>} results what `measure` answered
 * @param {Record<string, string | undefined>} bases the target each ratio is against, by the ratio's name
 */
export function rowsOf(results, bases) {
  return Object.entries(results).map(([target, rounds]) => {
    if (!isGood(rounds)) return { target, fault: rounds.find(({ fault }) => fault !== undefined).fault }
    const rates = rounds.map(({ rate }) => rate)
    const ratios = Object.entries(bases).map(([name, base]) => [name, ratiosOf(rounds, results[base])])
    return {
      target,
      median: median(rates),
      min: Math.min(...rates),
      max: Math.max(...rates),
      cpu: quietest(rounds),
      load: median(rounds.map(({ load }) => load)),
      ratios: Object.fromEntries(ratios.map(([name, values]) => [name, values && median(values)]))
    }
  })
}

function ratiosOf(rounds, base) {
  return isGood(base) ? rounds.map(({ rate }, index) => rate / base[index].rate) : undefined
}

/** The fastest of these targets, by median. */
export function fastest(results, names) {
  const able = names.filter(name => isGood(results[name]))
  const speed = name => median(results[name].map(({ rate }) => rate))
  return able.sort((a, b) => speed(b) - speed(a))[0]
}

/** The floor against itself: what a difference on this machine is worth. */
export function noiseOf(results, name, again) {
  if (!isGood(results[name]) || !isGood(results[again])) return undefined
  const ratios = ratiosOf(results[again], results[name])
  const cpu = quietest(results[again]) / quietest(results[name])
  return { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios), cpu }
}

/** By how much the floor's CPU time may differ from its own, in either direction, before a table says nothing. */
const mostNoise = 0.06

export function isSteady(noise) {
  return noise === undefined || Math.abs(noise.cpu - 1) <= mostNoise
}

export function noiseText(noise) {
  const { median, min, max, cpu } = noise
  return `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)}), CPU ${cpu.toFixed(2)}${isSteady(noise) ? '' : ': void'}`
}

/** One case's figures, target by target. */
export function detailTable(rows, bases) {
  const head = ['target', 'req/s', 'min–max', 'CPU µs', ...bases.map(base => `× ${base}`)]
  const body = rows.map(row => {
    if (row.fault !== undefined) return [row.target, 'void', '', '', ...bases.map(() => '')]
    const ratios = bases.map(base => row.ratios[base]?.toFixed(2) ?? '')
    return [row.target, whole(row.median), `${whole(row.min)}–${whole(row.max)}`, whole(row.cpu), ...ratios]
  })
  return table([head, ...body])
}

/** Every case in one table: the floor's rate, then everybody's ratio to it. */
export function summaryTable(reports, names) {
  const head = ['case', 'floor req/s', 'A/A', ...names]
  const body = reports.map(({ title, rows, noise }) => {
    const rowOf = name => rows.find(({ target }) => target === name)
    const cell = name => {
      const row = rowOf(name)
      if (row === undefined) return '–'
      if (row.fault !== undefined || !isSteady(noise)) return 'void'
      const ratio = row.ratios.floor
      return ratio === undefined ? whole(row.median) : `${ratio.toFixed(2)}×`
    }
    const floor = rowOf('floor')
    return [title, floor?.median === undefined ? '' : whole(floor.median), noise ? noiseText(noise) : '', ...names.map(cell)]
  })
  return table([head, ...body])
}

/** Every case in one table: the CPU time of one target's answers, then everybody's, as what the one's is of theirs. */
export function cpuTable(reports, base, names) {
  const head = ['case', `${base} CPU µs`, ...names]
  const body = reports.map(({ title, rows, noise }) => {
    const cpuOf = name => rows.find(({ target }) => target === name)?.cpu
    const least = cpuOf(base)
    const cell = name => {
      if (cpuOf(name) === undefined || least === undefined) return '–'
      return isSteady(noise) ? `${(least / cpuOf(name)).toFixed(2)}×` : 'void'
    }
    return [title, least === undefined ? '' : whole(least), ...names.map(cell)]
  })
  return table([head, ...body])
}

export function whole(value) {
  return Math.round(value).toLocaleString('en')
}

export function table(lines) {
  return markdown(lines).join('\n')
}

/** The lines of a Markdown table, the first column to the left and the others to the right. */
export function markdown([head, ...body]) {
  const widths = head.map((_, column) => Math.max(...[head, ...body].map(line => line[column].length)))
  const row = line => `| ${line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |`
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return [row(head), rule, ...body.map(row)]
}

/** Puts text between `<!-- name -->` and `<!-- /name -->`. @throws Error where the markers are not there. */
export function between(document, name, text) {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const [start, end] = [document.indexOf(open), document.indexOf(close)]
  if (start === -1 || end < start) throw new Error(`there is no ${open} … ${close} to put the figures in`)
  return `${document.slice(0, start + open.length)}\n\n${text.trim()}\n\n${document.slice(end)}`
}
