/** The store that docs/stores.md tries the contract on: nobody has written it. */
import type { Store } from '../../../lib/index.ts'

export declare const openMyStore: (url: string, options: object) => Promise<Store>
export declare const createDatabase: () => Promise<string>
export declare const dropDatabase: (url: string) => Promise<void>
export declare const breakConnections: (url: string) => void
