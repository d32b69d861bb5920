import { version } from '../../package.json';

/** The version of Berth that this code is. */
export const berthVersion: string = version;

/** Raised when clients and engine of different versions can no longer talk. */
export const protocolVersion = 1;
