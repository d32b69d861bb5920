/** Skips a test for want of something on this machine, and says of what: a skip that nobody sees looks like a success. */
export function skipWithout(context: Mocha.Context, missing: string): never {
  console.log(`      skipped: ${missing}`);
  return context.skip();
}
