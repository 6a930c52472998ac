/** A port nothing listens on, and that nobody is given by the system meanwhile. */
export function freePort(): Promise<number>
