interface Item {
  readonly text: string
  readonly link?: string
  readonly items?: readonly Item[]
}
export const nav: readonly Item[]
export const sidebar: Readonly<Record<string, readonly Item[]>>
/** Every address that the contents lead to. */
export const listed: ReadonlySet<string>
