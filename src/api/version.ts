/** Raised when clients and engine of different versions can no longer talk. */
export const protocolVersion = 1;
