/**
 * An update of Berth that brings another guest kit, with microVMs in every state. The engine before is of these sources,
 * too; what it leaves is then made what the version before wrote.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { appendFile, cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { kitName, recipeOf } from '../../../src/backend/drivers/microvms/kit/kit-parts';
import { EngineHarness } from '../../support/engine/engine-harness';
import {
  makeOldMachine,
  makeOldWorkspace,
  plantProgram,
  removeArchivedMachine,
} from '../../support/engine/previous-version';
import { succeed } from '../../support/programs';
import { column, testTimeoutMs } from '../../support/runtimes/columns';
import { microvmCache } from '../../support/runtimes/microvms';
import { until } from '../../support/wait';
import { itInSoak } from '../../support/soak';

const names = { running: 'a', paused: 'b', stopped: 'c', archived: 'd' } as const;
const states = Object.keys(names) as (keyof typeof names)[];

(column === 'microvm' ? describe : () => undefined)(
  'lifecycle: an update with microVMs in every state',
  function () {
    this.timeout(2 * testTimeoutMs);
    let cache: string;
    let harness: EngineHarness;
    let oldKit: string;
    const nameOf = (state: keyof typeof names) => `${harness.prefix}-${names[state]}`;
    const folderOf = (state: keyof typeof names) => join(harness.home, 'workspaces', nameOf(state));

    /** The cache as it is now, with no byte of it twice. */
    async function seedCache(): Promise<void> {
      cache = await mkdtemp(join(dirname(microvmCache), 'update-'));
      await succeed('cp', [
        '-al',
        ...['guest', 'images', 'templates'].map((name) => join(microvmCache, name)),
        cache,
      ]);
      await cp(join(microvmCache, 'acceleration.json'), join(cache, 'acceleration.json'));
    }

    /** The engine of the new version: its guests have other scripts, and so another kit. */
    async function plantEngine(): Promise<string> {
      const folder = join(harness.folder, 'program');
      const planted = await plantProgram(folder);
      await appendFile(join(folder, 'images', 'guest', 'main'), '\n# of the new version\n');
      await plantKit(join(folder, 'images'));
      return planted;
    }

    /** The programs of the old kit, by another hash. The kernel skips zeros behind an archive. */
    async function plantKit(images: string): Promise<void> {
      const about = JSON.parse(await readFile(join(oldKit, 'kit.json'), 'utf8')) as { kernel: string };
      const recipe = await recipeOf(images);
      const kit = join(cache, 'guest', kitName(recipe, about.kernel));
      await mkdir(kit);
      await succeed('cp', ['-l', join(oldKit, 'vmlinuz'), join(oldKit, 'tools.ext4'), kit]);
      await cp(join(oldKit, 'initrd'), join(kit, 'initrd'));
      await appendFile(join(kit, 'initrd'), Buffer.alloc(512));
      const hash = createHash('sha256');
      for (const name of ['vmlinuz', 'initrd', 'tools.ext4']) {
        hash.update(await readFile(join(kit, name)));
      }
      const changes = { recipe: recipe.hash, hash: hash.digest('hex'), stamps: undefined };
      await writeFile(join(kit, 'kit.json'), JSON.stringify({ ...about, ...changes }));
    }

    const assertWhole = async (state: keyof typeof names, own: string) => {
      const name = nameOf(state);
      assert.equal(await harness.sh(name, 'cat ~/home /opt/own 2>/dev/null || true'), `home${own}`);
      assert.equal(await harness.ssh(name, ['echo', 'ssh']), 'ssh');
    };
    const kitOf = async (state: keyof typeof names): Promise<string> => {
      const text = await readFile(join(folderOf(state), 'runtime.json'), 'utf8');
      return dirname((JSON.parse(text) as { launch: { kernel: string } }).launch.kernel);
    };

    before(async function () {
      this.timeout(2 * testTimeoutMs);
      await seedCache();
      harness = new EngineHarness({ env: { BERTH_CACHE: cache } });
      await harness.start();
      for (const state of states) {
        const name = nameOf(state);
        await harness.create({ name });
        await harness.sh(name, 'printf home >~/home; sync');
        await harness.exec(name, ['sh', '-c', 'printf " own" >/opt/own; echo mem >/dev/shm/mem'], {
          user: 'root',
        });
      }
      oldKit = await kitOf('paused');
      await harness.verb('pause', nameOf('paused'));
      await harness.verb('stop', nameOf('stopped'));
      await harness.verb('archive', nameOf('archived'));
      await harness.process.stop();
      // As after a restart of this machine.
      await harness.runtime.kill(nameOf('paused'));
      for (const state of states) {
        await makeOldWorkspace(folderOf(state));
        await makeOldMachine(folderOf(state), cache, { isRunning: state === 'running' });
      }
      await removeArchivedMachine(folderOf('archived'));
      await writeFile(join(folderOf('stopped'), 'machine.state.part'), 'QEVM');
      await writeFile(join(folderOf('stopped'), 'machine.state.old'), 'QEVM');
      await harness.start({}, await plantEngine());
    });

    after(async function () {
      this.timeout(testTimeoutMs);
      await harness.close();
      await rm(cache, { recursive: true, force: true });
    });

    it('finds them as they were, what runs goes on, and what was left of pauses is gone', async () => {
      for (const state of states) {
        assert.equal(await harness.state(nameOf(state)), state);
      }
      await assertWhole('running', ' own');
      const left = (await readdir(folderOf('stopped'))).filter((name) => name.startsWith('machine.state'));
      assert.deepEqual(left, []);
    });

    it('has what was paused go on where it stood, on the kit that it has', async () => {
      await harness.verb('resume', nameOf('paused'));
      assert.equal(await harness.sh(nameOf('paused'), 'cat /dev/shm/mem'), 'mem');
      await assertWhole('paused', ' own');
      assert.equal(await kitOf('paused'), oldKit);
    });

    it('starts the others with all their files, on the new kit', async () => {
      await harness.verb('start', nameOf('stopped'));
      await harness.verb('restart', nameOf('running'));
      for (const state of ['stopped', 'running'] as const) {
        await assertWhole(state, ' own');
        assert.notEqual(await kitOf(state), oldKit);
      }
    });

    itInSoak('has it go on from a pause though its kit was removed from the cache meanwhile', async () => {
      const name = nameOf('paused');
      await harness.verb('pause', name);
      const state = join(folderOf('paused'), 'machine.state');
      const isSaved = async () =>
        existsSync(state) && (await harness.workspace(name)).stateDetail === undefined;
      await until('it is saved', isSaved, testTimeoutMs, 50);
      await harness.runtime.kill(name);
      await rm(oldKit, { recursive: true });
      await harness.verb('resume', name);
      assert.equal(await harness.sh(name, 'cat /dev/shm/mem'), 'mem');
      await assertWhole('paused', ' own');
    });

    it('restores what was archived, whose own files had gone with the version before', async () => {
      const { warnings } = await harness.verb('restore', nameOf('archived'));
      assert.match(warnings.join(), /An earlier version of Berth archived it .* outside of volumes is gone/);
      await assertWhole('archived', '');
    });

    it('rebuilds and deletes them', async () => {
      const params = { name: nameOf('stopped') };
      await harness.done(
        await harness.client.call('workspaces.rebuild', { params, body: { confirm: true } }),
      );
      await assertWhole('stopped', '');
      for (const state of states) {
        await harness.delete(nameOf(state));
        assert.equal(existsSync(folderOf(state)), false);
      }
      assert.deepEqual(await harness.runtime.volumes(), []);
    });
  },
);
