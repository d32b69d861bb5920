/** Whatever was thrown, as the error that streams and promises are ended with: it need not be one. */
export const asError = (thrown: unknown): Error =>
  thrown instanceof Error ? thrown : new Error(String(thrown));
