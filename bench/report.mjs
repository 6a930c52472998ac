/** Turns rounds into a table. */

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/**
 * One row per target. A ratio is the median of the ratios within each round, so that a slow spell of the machine weighs on
 * both sides of it.
 */
export function rowsOf(results, against) {
  return Object.entries(results).map(([target, rounds]) => {
    const fault = rounds.find(round => round.fault !== undefined)?.fault
    if (fault !== undefined) return { target, fault }
    const rates = rounds.map(({ rate }) => rate)
    const ratios = Object.fromEntries(against.map(base => [base, ratioOf(rounds, results[base])]))
    return {
      target,
      median: median(rates),
      min: Math.min(...rates),
      max: Math.max(...rates),
      cpu: median(rounds.map(({ cpu }) => cpu)),
      ratios
    }
  })
}

function ratioOf(rounds, base) {
  if (base === undefined || base.some(({ fault }) => fault !== undefined)) return undefined
  return median(rounds.map(({ rate }, index) => rate / base[index].rate))
}

export function tableOf(title, rows, against) {
  const lines = [
    ['target', 'req/s', 'min–max', 'CPU µs', ...against.map(base => `× ${base}`)],
    ...rows.map(row => [row.target, ...figuresOf(row, against)])
  ]
  return [`### ${title}`, '', ...markdown(lines), ''].join('\n')
}

function figuresOf(row, against) {
  if (row.fault !== undefined) return ['void', '', '', ...against.map(() => '')]
  const ratios = against.map(base => (row.ratios[base] === undefined ? '' : row.ratios[base].toFixed(2)))
  return [whole(row.median), `${whole(row.min)}–${whole(row.max)}`, whole(row.cpu), ...ratios]
}

function whole(value) {
  return Math.round(value).toLocaleString('en')
}

export function markdown([head, ...body]) {
  const widths = head.map((_, column) => Math.max(...[head, ...body].map(line => line[column].length)))
  const row = line => `| ${line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |`
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return [row(head), rule, ...body.map(row)]
}
