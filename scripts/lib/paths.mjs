/** Where the scripts keep what they install and start. Everything here can be deleted and comes back. */
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Downloads worth keeping between runs. */
export const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'berth');

/** Logs and data of a Docker daemon that we started. It runs as root, so its state isn't under a user's home. */
export const DAEMON_STATE = '/var/lib/berth-dev';
