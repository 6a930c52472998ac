/** @throws Error for a statement that is not drawn. */
export function drawSequence(source: string, title: string): string
export function tellSequence(source: string): readonly string[]
