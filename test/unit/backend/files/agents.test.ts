import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { AgentFiles } from '../../../../src/backend/files/agent/agent-files';
import { agentKeepsProtocol } from '../../../support/files/agent-conformance';
import type { Room } from '../../../support/files/agents/room';
import { setAttribute } from '../../../support/files/file-facts';
import { isRoot } from '../../../support/skip';
import { TestVolume } from './agent/harness';
import { TestDisk, writeByDebugfs } from './disk/harness';

/** One folder and agent for all: an agent takes a while to start. */
function folderRoom(volume: TestVolume): Room {
  const files = new AgentFiles(volume);
  return {
    files,
    access: volume,
    givesOwners: isRoot,
    makeDevice: (path) =>
      Promise.resolve(spawnSync('mknod', [join(volume.root, path), 'c', '1', '3']).status === 0),
    setAttribute: (path, name, value) => {
      setAttribute(join(volume.root, path), name, value);
      return Promise.resolve();
    },
    restart: () => volume.restart(),
    kill: () => volume.kill(),
    end: async () => {
      await files.close();
      execFileSync('find', [volume.root, '-mindepth', '1', '-delete']);
      assert.equal(volume.held, 0);
    },
  };
}

async function diskRoom(): Promise<Room> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-agents-'));
  const disk = await TestDisk.create(folder, { sizeMiB: 256 });
  return {
    files: disk.files,
    access: disk.access,
    givesOwners: true,
    makeDevice: async (path) => {
      await writeByDebugfs(disk, [`cd ${dirname(path)}`, `mknod ${basename(path)} c 1 3`]);
      return true;
    },
    setAttribute: (path, name, value) => writeByDebugfs(disk, [`ea_set ${path} ${name} ${value}`]),
    restart: () => disk.access.close(),
    kill: () => disk.kill(),
    end: async () => {
      await disk.check();
      await disk.dispose();
      rmSync(folder, { recursive: true });
    },
  };
}

describe('agents of files', function () {
  this.timeout(60_000);
  describe('in Python, on a folder', () => {
    let volume: TestVolume;
    before(async () => (volume = await TestVolume.create()));
    after(() => volume.dispose());
    agentKeepsProtocol({ make: () => Promise.resolve(folderRoom(volume)) });
  });
  describe('of a stopped disk', () => agentKeepsProtocol({ make: diskRoom }));
});
