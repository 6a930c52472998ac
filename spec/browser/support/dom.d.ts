/** The names of the browser's own types that playwright-core's types mention; this project compiles without the DOM library. */
interface Node {
  readonly nodeType: number
}
interface HTMLElement extends Node {
  readonly tagName: string
}
interface SVGElement extends Node {
  readonly tagName: string
}
type HTMLElementTagNameMap = Record<string, HTMLElement>
