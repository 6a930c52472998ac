/** The sequence diagram, which fills as things happen, and the same as a list for those who do not see it. */
const svg = 'http://www.w3.org/2000/svg'
const actors = {
  attester: 'Attester',
  platform: 'Platform',
  domain: 'SPIFFE trust domain',
  page: 'This page, the client',
  tls: 'This server, as TLS client',
  person: 'A person’s browser',
  server: 'Authorization server',
  api: 'API'
}
const rowHeight = 46
/** Pixels: as wide as there is room for, within these. */
const columnWidth = { least: 150, most: 300 }

function shape(name, attributes, text) {
  const element = document.createElementNS(svg, name)
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, String(value))
  if (text !== undefined) element.textContent = text
  return element
}

const shortened = text => (text.length > 34 ? `${text.slice(0, 33)}…` : text)

/** Steps that are drawn into `figure` and written into `list` as they are added. */
export function diagram(figure, list) {
  let steps = []
  const draw = () => {
    const used = Object.keys(actors).filter(actor => steps.some(({ from, to }) => from === actor || to === actor))
    const columns = Math.max(1, used.length)
    const column = Math.max(columnWidth.least, Math.min(columnWidth.most, figure.clientWidth / columns))
    const x = actor => (used.indexOf(actor) + 0.5) * column
    const width = columns * column
    const height = 60 + steps.length * rowHeight
    const picture = shape('svg', { viewBox: `0 0 ${width} ${height}`, width, height, 'aria-hidden': true })
    for (const actor of used) {
      picture.append(shape('line', { x1: x(actor), x2: x(actor), y1: 34, y2: height, class: 'life' }))
      picture.append(shape('text', { x: x(actor), y: 20, class: 'actor' }, actors[actor]))
    }
    steps.forEach(({ from, to, label, isBad }, index) => {
      const y = 70 + index * rowHeight
      const [start, end] = [x(from), x(to)]
      const tip = end > start ? -9 : 9
      const state = isBad ? 'bad' : 'good'
      picture.append(shape('line', { x1: start, x2: end, y1: y, y2: y, class: `arrow ${state}` }))
      picture.append(shape('path', { d: `M ${end} ${y} l ${tip} -5 v 10 z`, class: `tip ${state}` }))
      picture.append(shape('text', { x: (start + end) / 2, y: y - 8, class: `label ${state}` }, shortened(label)))
    })
    figure.replaceChildren(picture)
    list.replaceChildren(
      ...steps.map(({ from, to, label, isBad }) => {
        const item = document.createElement('li')
        item.textContent = `${actors[from]} → ${actors[to]}: ${label}${isBad ? ' (refused)' : ''}`
        return item
      })
    )
  }
  return {
    clear() {
      steps = []
      draw()
    },
    add(from, to, label, isBad = false) {
      steps.push({ from, to, label, isBad })
      draw()
    }
  }
}
