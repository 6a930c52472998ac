/**
 * Draws a mermaid sequence diagram as SVG, when the site is built: browsers are sent a picture, and no program that draws it.
 * It knows the few statements that the documents here are written with, and refuses any other.
 */
const size = { char: 6.6, line: 16, gap: 20, head: 36, margin: 8, column: 80 }

const escape = text => text.replace(/[&<>"]/g, sign => `&#${sign.charCodeAt(0)};`)
const linesOf = text => text.split(/<br\s*\/?>/).map(line => line.trim())
const widthOf = text => Math.max(...linesOf(text).map(line => [...line].length)) * size.char

/** What the statements say: participants in their order, and the steps between them. */
function readSequence(source) {
  const participants = new Map()
  const steps = []
  const known = name => {
    if (!participants.has(name)) throw new Error(`a sequence diagram has no participant ${name}`)
    return name
  }
  const [head, ...lines] = source
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')
  if (head !== 'sequenceDiagram') throw new Error(`not a sequence diagram: ${head}`)
  for (const line of lines) {
    const [, name, label] = /^participant (\w+)(?: as (.+))?$/.exec(line) ?? []
    const [, from, arrow, to, text] = /^(\w+)(-->>|->>|--x|-x)(\w+): (.+)$/.exec(line) ?? []
    const [, over, until, note] = /^Note over (\w+)(?:,(\w+))?: (.+)$/.exec(line) ?? []
    if (name !== undefined) participants.set(name, label ?? name)
    else if (from !== undefined)
      steps.push({ from: known(from), to: known(to), text, isAnswer: arrow.startsWith('--'), isRefused: arrow.endsWith('x') })
    else if (over !== undefined) steps.push({ from: known(over), to: known(until ?? over), note })
    else throw new Error(`no statement of a sequence diagram that is drawn here: ${line}`)
  }
  return { participants, steps }
}

/** How far apart the participants stand, so that what is written between them fits. */
function placesOf({ participants, steps }) {
  const names = [...participants.keys()]
  const gaps = names.map(() => size.column)
  const widen = (from, to, width) => {
    const here = gaps.slice(from, to).reduce((sum, gap) => sum + gap, 0)
    if (to > from && here < width) for (let at = from; at < to; at++) gaps[at] += (width - here) / (to - from)
  }
  names.forEach((name, at) => {
    const next = names[at + 1]
    if (next !== undefined) widen(at, at + 1, (widthOf(participants.get(name)) + widthOf(participants.get(next))) / 2 + 40)
  })
  for (const { from, to, text } of steps) {
    if (text === undefined) continue
    const [left, right] = [names.indexOf(from), names.indexOf(to)].sort((one, other) => one - other)
    widen(left, right === left ? left + 1 : right, widthOf(text) + 20)
  }
  const places = new Map()
  let x = size.margin
  for (const [at, name] of names.entries()) {
    places.set(name, x)
    x += gaps[at]
  }
  return places
}

const text = (x, y, content, className, anchor = 'middle') =>
  linesOf(content)
    .map(
      (line, at) => `<text x="${x}" y="${y + at * size.line}" text-anchor="${anchor}" class="${className}">${escape(line)}</text>`
    )
    .join('')

function drawNote({ from, to, note }, places, y) {
  const lines = linesOf(note)
  const centre = (places.get(from) + places.get(to)) / 2
  const width = Math.max(widthOf(note) + 16, Math.abs(places.get(to) - places.get(from)) + 40)
  const height = lines.length * size.line + 12
  const box = `<rect x="${centre - width / 2}" y="${y}" width="${width}" height="${height}" rx="4" class="note"/>`
  return { drawn: box + text(centre, y + 18, note, 'said noted'), height, left: centre - width / 2, right: centre + width / 2 }
}

function drawArrow({ from, to, text: label, isAnswer, isRefused }, places, y) {
  const [start, end] = [places.get(from), places.get(to)]
  const lines = linesOf(label)
  const line = y + lines.length * size.line
  const className = `${isAnswer ? 'answer' : 'call'}${isRefused ? ' refused' : ''}`
  if (start === end) {
    const path = `<path d="M ${start} ${y + 6} h 34 v ${line - y} h -30" class="${className}"/><path d="M ${start + 2} ${line + 6} l 9 -5 v 10 z" class="tip"/>`
    return {
      drawn: path + text(start + 42, y + 18, label, 'said', 'start'),
      height: line - y + 12,
      left: start,
      right: start + 50 + widthOf(label)
    }
  }
  const back = end > start ? -9 : 9
  const tip = isRefused
    ? `<path d="M ${end + back - 5} ${line - 5} l 10 10 m 0 -10 l -10 10" class="cross"/>`
    : `<path d="M ${end} ${line} l ${back} -5 v 10 z" class="tip"/>`
  const path = `<line x1="${start}" x2="${end + back / 2}" y1="${line}" y2="${line}" class="${className}"/>`
  const [left, right] = [Math.min(start, end), Math.max(start, end)]
  return { drawn: path + tip + text((start + end) / 2, y + 10, label, 'said'), height: line - y + 2, left, right }
}

/** The diagram, as SVG that takes its colours from the page around it. `title` is what it shows, for those who do not see it. */
export function drawSequence(source, title) {
  const sequence = readSequence(source)
  const places = placesOf(sequence)
  let y = size.margin + size.head + size.gap
  let [leftmost, rightmost] = [0, 0]
  const drawn = sequence.steps.map(step => {
    const part = step.note === undefined ? drawArrow(step, places, y) : drawNote(step, places, y)
    y += part.height + size.gap
    leftmost = Math.min(leftmost, part.left - size.margin)
    rightmost = Math.max(rightmost, part.right + size.margin)
    return part.drawn
  })
  const heads = [...sequence.participants].map(([name, label]) => {
    const [x, width] = [places.get(name), widthOf(label) + 28]
    rightmost = Math.max(rightmost, x + width / 2 + size.margin)
    leftmost = Math.min(leftmost, x - width / 2 - size.margin)
    return (
      `<line x1="${x}" x2="${x}" y1="${size.margin + size.head}" y2="${y}" class="life"/>` +
      `<rect x="${x - width / 2}" y="${size.margin}" width="${width}" height="${size.head}" rx="6" class="head"/>` +
      text(x, size.margin + 24, label, 'name')
    )
  })
  const width = Math.ceil(rightmost - leftmost)
  return (
    `<svg class="sequence" role="img" aria-label="${escape(title)}" viewBox="${Math.floor(leftmost)} 0 ${width} ${y + size.margin}" ` +
    `width="${width}" height="${y + size.margin}" style="min-width: ${Math.round(width * 0.85)}px" xmlns="http://www.w3.org/2000/svg">${heads.join('')}${drawn.join('')}</svg>`
  )
}

/** The same in words: one sentence for each step. */
export function tellSequence(source) {
  const { participants, steps } = readSequence(source)
  const say = content => linesOf(content).join(' ')
  return steps.map(({ from, to, text: label, note }) =>
    note === undefined
      ? `${participants.get(from)} → ${participants.get(to)}: ${say(label)}`
      : `${participants.get(from)}: ${say(note)}`
  )
}
