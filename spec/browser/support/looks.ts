/** What is wrong with a page's looks, as expressions that run in it. */

/** Runs in the page: the text that stands out too little from what is behind it (WCAG 2.2 §1.4.3), as `text: ratio`. */
export const faintText = `(() => {
  const channels = colour => (colour.match(/[\\d.]+/g) ?? []).map(Number)
  const linear = value => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
  const backdrop = element => {
    const [r, g, b, alpha = 1] = channels(getComputedStyle(element).backgroundColor)
    return alpha > 0 ? [r, g, b] : element.parentElement === null ? [255, 255, 255] : backdrop(element.parentElement)
  }
  const written = [...document.querySelectorAll('body *')].filter(element =>
    [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim() !== '')
  )
  return written.flatMap(element => {
    const [dark, light] = [luminance(channels(getComputedStyle(element).color)), luminance(backdrop(element))].sort((a, b) => a - b)
    const ratio = (light + 0.05) / (dark + 0.05)
    return ratio >= 4.5 ? [] : [element.textContent.trim() + ': ' + ratio.toFixed(2)]
  })
})()`

/** Runs in the page: controls nobody names, names two elements share, controls too small for a finger (§2.5.8), and what sticks out. */
export const faults = `(() => {
  const controls = [...document.querySelectorAll('input:not([type=hidden]), button')]
  const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id)
  return [
    ...controls.filter(control => control.labels?.length === 0 && control.textContent.trim() === '').map(control => control.name + ' has no label'),
    ...controls.filter(control => [control, ...(control.labels ?? [])].every(part => part.getBoundingClientRect().height < 40)).map(control => control.outerHTML + ' is too small'),
    ...ids.filter((id, index) => ids.indexOf(id) !== index).map(id => id + ' is there twice'),
    ...(document.documentElement.scrollWidth > document.documentElement.clientWidth ? ['the page is too wide'] : []),
    ...(document.documentElement.lang === '' ? ['no language'] : []),
    ...(document.querySelectorAll('h1').length === 1 ? [] : ['not one heading'])
  ]
})()`
