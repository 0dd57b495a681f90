// One line in, one line out: how these clients talk with the test that plays the browser.

import { createInterface } from 'node:readline'

/** Shows the address to open, and waits for the one that the browser was sent back to. */
export async function browse(url) {
  console.log(JSON.stringify({ open: url.href }))
  const lines = createInterface({ input: process.stdin })
  for await (const line of lines) {
    lines.close()
    return new URL(line)
  }
  throw new Error('the browser never came back')
}

/** Fails unless both are the same. */
export function same(actual, expected, what) {
  if (actual !== expected) throw new Error(`${what}: ${actual} instead of ${expected}`)
}
