/**
 * Any process of a microVM is killed at any moment of any verb: the engine, QEMU, the network filter or the daemon of a
 * shared folder. What was written is there afterwards, what was in memory too unless QEMU was killed while it ran, and
 * nothing is left over. `npm run soak` draws many cases; a few are part of every run.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Operation } from '../../../src/api/operations/schemas';
import { isDraft } from '../../../src/backend/machine/drafts';
import { processesOf } from '../../support/engine/census';
import { eventually, useEngineHarness, itLeavesNothing } from '../../support/engine/engine-harness';
import { Random } from '../../support/random';
import { column, testTimeoutMs } from '../../support/runtimes/columns';
import { obstacleToShares } from '../../support/runtimes/microvms';
import { skipWithout } from '../../support/skip';

const isSoak = process.env.BERTH_SEED !== undefined;
const soakCases = 24;

/** What each is on its command line. */
const victims = {
  engine: /^$/,
  qemu: /qemu-system/,
  filter: /network-filter\.js|network\/main\.js/,
  virtiofsd: /virtiofsd/,
};
type Victim = keyof typeof victims;

/** Each verb, the states that it is tried in, and how long it takes about. */
const verbs = {
  start: { from: 'stopped', takesMs: 3_000 },
  stop: { from: 'running', takesMs: 3_000 },
  pause: { from: 'running', takesMs: 1_000 },
  resume: { from: 'paused', takesMs: 1_500 },
  archive: { from: 'running', takesMs: 3_000 },
  restore: { from: 'archived', takesMs: 3_000 },
  rebuild: { from: 'running', takesMs: 6_000 },
  commit: { from: 'stopped', takesMs: 3_000 },
  create: { from: undefined, takesMs: 4_000 },
  delete: { from: 'running', takesMs: 2_000 },
} as const;
type Verb = keyof typeof verbs;

interface Case {
  verb: Verb;
  victim: Victim;
  /** Of the time that the verb takes about. */
  share: number;
}

/** Where the order of what is on disk and what runs matters most. */
const everyRun: readonly Case[] = [
  { verb: 'pause', victim: 'engine', share: 0.02 },
  { verb: 'resume', victim: 'engine', share: 0.1 },
  { verb: 'resume', victim: 'qemu', share: 0 },
  { verb: 'resume', victim: 'qemu', share: 0.1 },
  { verb: 'start', victim: 'filter', share: 0.7 },
  { verb: 'stop', victim: 'engine', share: 0.1 },
];

function drawn(random: Random): Case[] {
  return Array.from({ length: soakCases }, () => ({
    verb: random.pick(Object.keys(verbs) as Verb[]),
    victim: random.pick(Object.keys(victims) as Victim[]),
    share: random.next(1_000) / 1_000,
  }));
}

/** From what a workspace is in to one that answers. */
const remedy = { stopped: 'start', archived: 'restore', paused: 'resume', error: 'recover' } as const;
type Rest = keyof typeof remedy | 'running' | 'gone';

/** What a workspace may be when one of its processes was killed, but for an error that names it. */
function mayBe({ verb, victim }: Case): readonly Rest[] {
  const after: Record<Verb, readonly Rest[]> = {
    start: ['stopped', 'running'],
    stop: ['running', 'stopped'],
    pause: ['running', 'paused'],
    resume: ['paused', 'running'],
    archive: ['running', 'stopped', 'archived'],
    restore: ['archived', 'running'],
    rebuild: ['running', 'stopped'],
    commit: ['stopped'],
    create: ['gone', 'running', 'error'],
    delete: ['gone', 'running'],
  };
  return victim === 'qemu' ? [...after[verb], 'stopped'] : after[verb];
}

if (column === 'microvm') {
  describe('faults: a process of a microVM is killed', function () {
    this.timeout(testTimeoutMs);
    const harness = useEngineHarness();
    const shared = () => `${harness().prefix}-shared`;
    const image = () => `${harness().prefix}-image`;
    const sharing = () => ({ volumes: [`${shared()}:/shared`] });
    /** One without a shared folder, and one with it. */
    const names = new Map<boolean, string>();
    let written = 0;
    let obstacle: string | undefined;

    before(async () => {
      obstacle = await obstacleToShares();
      await harness().client.call('volumes.create', { body: { name: shared(), kind: 'directory' } });
    });

    async function known(hasShare: boolean): Promise<string> {
      const name = names.get(hasShare) ?? (await harness().create(hasShare ? sharing() : {})).name;
      names.set(hasShare, name);
      await bringBack(name);
      return name;
    }

    /** One in that state, with something to lose on its disks and in its memory. */
    async function supply({ verb, victim }: Case): Promise<string> {
      const { from } = verbs[verb];
      if (from === undefined) {
        return harness().name();
      }
      const name = await known(victim === 'virtiofsd');
      written += 1;
      const script = `echo ${written} >~/kept; echo ${written} >/dev/shm/kept; sync ~/kept`;
      await harness().sh(name, script);
      const way = { running: undefined, stopped: 'stop', paused: 'pause', archived: 'archive' } as const;
      const verbThere = way[from];
      await (verbThere === undefined ? undefined : harness().verb(verbThere, name));
      return name;
    }

    function begin({ verb, victim }: Case, workspace: string): Promise<Operation> {
      const { client } = harness();
      const params = { name: workspace };
      switch (verb) {
        case 'create':
          return harness().beginCreate(workspace, victim === 'virtiofsd' ? sharing() : {});
        case 'delete':
          return client.call('workspaces.delete', { params });
        case 'rebuild':
          return client.call('workspaces.rebuild', { params, body: { confirm: true } });
        case 'commit':
          return client.call('workspaces.commit', { params, body: { image: image() } });
        default:
          return harness().begin(verb, workspace);
      }
    }

    async function kill(victim: Victim): Promise<number> {
      if (victim === 'engine') {
        await harness().killAndRestart();
        return 1;
      }
      const found = (await processesOf(harness().home)).filter((line) => victims[victim].test(line));
      for (const line of found) {
        try {
          process.kill(parseInt(line, 10), 'SIGKILL');
        } catch {
          // It has just ended.
        }
      }
      return found.length;
    }

    /** What it comes to rest in, once that is how it is. */
    async function rest(workspace: string): Promise<Rest> {
      const look = async () => {
        const all = await harness().client.call('workspaces.list', {});
        const found = all.find((each) => each.name === workspace);
        if (found === undefined) {
          return 'gone';
        }
        const isAtRest = found.state === 'running' || found.state in remedy;
        const real = await harness().runtime.stateOf(workspace);
        const isTrue = ['running', 'paused'].includes(real)
          ? real === found.state
          : found.state !== 'running';
        return isAtRest && isTrue && found.operations.length === 0 && (found.state as Rest);
      };
      return eventually(`${workspace} comes to rest`, look, 30_000);
    }

    async function bringBack(workspace: string): Promise<void> {
      const state = await rest(workspace);
      if (state !== 'running' && state !== 'gone') {
        await harness().verb(remedy[state], workspace);
      }
    }

    async function count(what: Victim): Promise<number> {
      return (await processesOf(harness().home)).filter((line) => victims[what].test(line)).length;
    }

    /** Whoever has a folder that nobody serves any more is told so, and has it back after a restart. */
    async function assertShared(workspace: string): Promise<void> {
      if ((await count('virtiofsd')) === 0) {
        await eventually('it is warned of', async () => {
          const { warnings } = await harness().workspace(workspace);
          return warnings.some(({ code }) => code === 'share-lost');
        });
        await harness().verb('restart', workspace);
      }
      assert.equal(await harness().sh(workspace, 'echo here >/shared/file; cat /shared/file'), 'here');
    }

    async function assertWhole(each: Case, workspace: string, state: Rest): Promise<void> {
      await bringBack(workspace);
      assert.equal(await harness().ssh(workspace, ['cat ~/kept']), String(written));
      const memory = await harness().sh(workspace, 'cat /dev/shm/kept 2>/dev/null || true');
      await (each.victim === 'virtiofsd' ? assertShared(workspace) : undefined);
      const isKept =
        ['pause', 'resume'].includes(each.verb) && (each.victim !== 'qemu' || state === 'paused');
      assert(!isKept || memory === String(written), `its memory is lost: "${memory}"`);
      await eventually(
        'each QEMU has one filter',
        async () => (await count('qemu')) === (await count('filter')),
      );
      const folder = join(harness().home, 'workspaces', workspace);
      assert.equal(existsSync(join(folder, 'machine.state')), false, 'it runs: no state is kept');
      // What was cut off by the engine's end is swept by the next one, what is removed a little later is no leak.
      await eventually('no draft is left', async () => !(await readdir(folder)).some(isDraft));
    }

    async function run(each: Case): Promise<void> {
      const workspace = await supply(each);
      const operation = await begin(each, workspace);
      const ms = Math.round(verbs[each.verb].takesMs * each.share);
      await sleep(ms);
      const killed = await kill(each.victim);
      await harness()
        .done(operation)
        .catch(() => undefined);
      const state = await rest(workspace);
      console.log(`      ${each.verb}, ${killed} × ${each.victim} killed after ${ms} ms: ${state}`);
      const { problem } = state === 'gone' ? {} : await harness().workspace(workspace);
      const allowed = mayBe(each);
      assert(
        allowed.includes(state) || (state === 'error' && problem?.hint !== undefined),
        `${state}: ${JSON.stringify(problem)}`,
      );
      if (state === 'gone') {
        names.forEach((name, hasShare) => name === workspace && names.delete(hasShare));
      } else if (each.verb === 'create') {
        await harness().delete(workspace);
      } else {
        await assertWhole(each, workspace, state);
      }
    }

    const cases = isSoak ? drawn(new Random(0)) : everyRun;
    cases.forEach((each, index) => {
      it(`${index + 1}: ${each.victim} in a ${each.verb}`, async function () {
        if (each.victim === 'virtiofsd' && obstacle !== undefined) {
          skipWithout(this, obstacle);
        }
        await run(each);
      });
    });

    it('the network works again when its filter was killed', async () => {
      const name = await known(false);
      await kill('filter');
      assert.equal(await harness().ssh(name, ['echo on']), 'on');
    });

    it('what was shared, and what was made of it, can be removed', async () => {
      for (const name of names.values()) {
        await harness().delete(name);
      }
      await harness().client.call('volumes.delete', { params: { volume: shared() } });
      const images = await harness().client.call('images.list', {});
      if (images.some(({ tags }) => tags.some((tag) => tag.startsWith(image())))) {
        await harness().client.call('images.remove', { body: { image: image() } });
      }
    });

    itLeavesNothing(harness);
  });
}
