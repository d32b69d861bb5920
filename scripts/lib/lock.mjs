/** A lock between processes that a dead owner can't keep. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { waitFor } from './wait.mjs';

/**
 * Runs `work` while holding the lock file `path`, which names the owner's process id.
 * @template T
 * @param {string} path
 * @param {{timeoutMs: number}} options
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(path, { timeoutMs }, work) {
  await mkdir(dirname(path), { recursive: true });
  await waitFor(`the lock ${path}`, () => tryLock(path), {
    timeoutMs,
    everyMs: 200,
    explain: async () => `it is held by process ${await readFile(path, 'utf8').catch(() => '?')}`,
  });
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

/** @param {string} path */
async function tryLock(path) {
  try {
    await writeFile(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  const owner = Number(await readFile(path, 'utf8').catch(() => ''));
  // An empty file is an owner between creating it and writing to it.
  if (owner && !isAlive(owner)) await rm(path, { force: true });
  return false;
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
