/**
 * The one name of the browser's own types that qrcode's types mention; this project compiles without the DOM library.
 */
interface HTMLCanvasElement {
  readonly tagName: string
}
