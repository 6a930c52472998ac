/** By name: what a method is. */
export const methods: Readonly<Record<string, { readonly about: string }>>
