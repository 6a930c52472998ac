/** What is asked after each spec file: emitted.ts adds itself where a file's servers are overheard, and costs the others nothing. */
export const leakChecks: (() => readonly string[])[] = []
