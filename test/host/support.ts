/** What host tests share: the extension under test, and things on the real engine that are gone afterwards. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import * as vscode from 'vscode';
import type { EngineClient } from '../../src/client/engine-client';
import type { BerthApi } from '../../src/extension';

export const unique = (prefix: string): string => `${prefix}-${randomBytes(3).toString('hex')}`;

export function extension(): vscode.Extension<{ getApi(version: 1): BerthApi }> {
  const found = vscode.extensions.getExtension<{ getApi(version: 1): BerthApi }>('berth.berth');
  assert.ok(found, 'the extension is there');
  return found;
}

export async function api(): Promise<BerthApi> {
  return (await extension().activate()).getApi(1);
}

export async function withVolume(
  use: (volume: string, client: EngineClient) => Promise<void>,
): Promise<void> {
  const client = await (await api()).client();
  const name = unique('host');
  await client.call('volumes.create', { body: { name } });
  try {
    await use(name, client);
  } finally {
    await client.call('volumes.delete', { params: { volume: name } });
  }
}

export async function deleteWorkspace(client: EngineClient, name: string): Promise<void> {
  const operation = await client.call('workspaces.delete', { params: { name }, query: { wait: 0 } });
  await client.waitFor(operation);
}

export async function eventually<T>(
  what: string,
  probe: () => T | Promise<T>,
  timeoutMs = 15_000,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await probe();
    } catch (error) {
      if (Date.now() > end) {
        throw new Error(`waited ${timeoutMs / 1000} s for ${what}: ${String(error)}`, { cause: error });
      }
    }
    await sleep(50);
  }
}

export const uriOf = (volume: string, path: string): vscode.Uri =>
  vscode.Uri.from({ scheme: 'berth', path: path === '/' ? `/${volume}` : `/${volume}${path}` });

export const text = (content: Uint8Array): string => Buffer.from(content).toString('utf8');

export async function rejectsWith(code: string, attempt: () => Thenable<unknown>): Promise<void> {
  await assert.rejects(
    async () => attempt(),
    (error: unknown) => {
      assert.ok(error instanceof vscode.FileSystemError, String(error));
      assert.equal(error.code, code, error.message);
      return true;
    },
  );
}
