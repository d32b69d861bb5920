import manifest from '../../package.json';

/** The version of Berth that this code is. */
export const berthVersion: string = manifest.version;

/** Raised when clients and engine of different versions can no longer talk. */
export const protocolVersion = 1;
