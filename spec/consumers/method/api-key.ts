/** Stands here for the types alone: in the project that is installed this file is the first snippet of docs/adding-a-method.md. */
export { ApiKeyStrategy } from '../../types/extensions.ts'
