/** The address of a document in the site, or undefined where the site does not have it. */
export function addressOf(file: string): string | undefined
