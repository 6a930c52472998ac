/** Loaded before a program that a spec starts: its RSA keys are those of a stock, from where the one before has left it. */
import { syncBuiltinESMExports } from 'node:module'
import { stockKeys } from '../jest/rsa-stock.mjs'

stockKeys(Number(process.env.SPEC_RSA_FROM))
syncBuiltinESMExports()
