/** The engine dies at any moment of anything: nothing is lost, nothing half-built stays, states are true. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Workspace } from '../../../src/api/workspaces/schemas';
import { failure } from '../../support/errors';
import { eventually, itLeavesNothing, useEngineHarness } from '../../support/engine/engine-harness';
import { column, itOfContainers, testTimeoutMs } from '../../support/runtimes/columns';
import { times } from '../../support/soak';

const all = [
  'stop',
  'start',
  'restart',
  'archive',
  'restore',
  'pause',
  'delete',
  'upload',
  'rebuild',
] as const;
type Action = (typeof all)[number];

/** As many as a machine emulates at once without waiting long. */
const verbs =
  column === 'microvm' ? all.filter((verb) => !['stop', 'archive', 'restart'].includes(verb)) : all;
const rounds = Array.from({ length: column === 'microvm' ? 1 : times(1, 3) }, (_, index) => index + 1);

/** What an action is tried on. */
const wayTo: Partial<Record<Action, 'stop' | 'archive'>> = { start: 'stop', restore: 'archive' };

/** What a runtime may be, by the state that is told. */
const fits: Partial<Record<string, readonly string[]>> = {
  running: ['running'],
  paused: ['paused'],
  stopped: ['stopped', 'gone'],
  archived: ['stopped'],
};

/** From what a workspace is in to one that answers. */
const remedy = { stopped: 'start', archived: 'restore', paused: 'resume', error: 'recover' } as const;

describe('faults: the engine is killed', function () {
  this.timeout(testTimeoutMs);
  const harness = useEngineHarness();
  const names = new Map<Action, string>();
  const blob = randomBytes(24_000_000);

  before(async () => {
    await writeFile(join(harness().folder, 'blob'), blob);
  });

  /** A running workspace with something to lose. */
  async function supply(action: Action): Promise<string> {
    const known = names.get(action);
    if (known !== undefined) {
      return known;
    }
    const { name } = await harness().create();
    await harness().sh(name, `echo kept of ${name} >~/kept; sync ~/kept`);
    names.set(action, name);
    return name;
  }

  async function begin(action: Action, name: string): Promise<void> {
    const { client } = harness();
    if (action === 'delete') {
      await client.call('workspaces.delete', { params: { name } });
    } else if (action === 'rebuild') {
      await client.call('workspaces.rebuild', { params: { name }, body: { confirm: true } });
    } else if (action === 'upload') {
      const from = { local: [join(harness().folder, 'blob')] };
      const to = { volume: `workspace-${name}`, path: '/' };
      await client.call('transfers.create', { body: { from, to, conflict: 'overwrite' } });
    } else {
      await harness().begin(action, name);
    }
  }

  /** What the API says, once nothing is under way, is how it is. */
  async function settled(name: string): Promise<Workspace | undefined> {
    try {
      return await eventually(`${name} comes to rest`, async () => {
        const workspace = await harness().workspace(name);
        // Until the next engine has looked at it the state is the one in between that the last one has noted.
        const isAtRest = workspace.state === 'error' || workspace.state in fits;
        return isAtRest && workspace.operations.length === 0 && workspace;
      });
    } catch (error) {
      await failure(harness().workspace(name), 'not_found');
      assert(error);
      return undefined;
    }
  }

  /** A daemon may do what it was asked for when the one who asked is gone: the state follows. */
  async function assertTrue({ name }: Workspace): Promise<void> {
    await eventually(`what ${name} is said to be is what it is`, async () => {
      const state = await harness().state(name);
      return fits[state]?.includes(await harness().runtime.stateOf(name));
    });
  }

  async function bringBack(name: string): Promise<void> {
    const state = (await settled(name))?.state;
    if (state !== 'running') {
      await harness().verb(remedy[state as keyof typeof remedy], name);
    }
    assert.equal(await harness().ssh(name, ['cat ~/kept']), `kept of ${name}`);
    await eventually('drafts of an upload are tidied up', async () => {
      return (await harness().sh(name, 'ls -A ~ | grep -i berth || true')) === '';
    });
    const size = await harness().sh(name, 'test ! -e ~/blob || stat -c %s ~/blob');
    assert(size === '' || size === String(blob.length), `${size} bytes are neither nothing nor all`);
    await harness().sh(name, 'rm -f ~/blob');
  }

  for (const round of rounds) {
    it(`in the middle of everything at once, round ${round}`, async () => {
      await Promise.all(verbs.map((action) => supply(action)));
      for (const [action, way] of Object.entries(wayTo)) {
        await harness().verb(way, await supply(action as Action));
      }
      const created = harness().name();
      await Promise.all([
        harness().beginCreate(created),
        ...verbs.map(async (action) => begin(action, await supply(action))),
      ]);
      const ms = Math.floor(Math.random() * 1_500);
      await sleep(ms);
      await harness().killAndRestart();
      const left = await Promise.all([...names.values(), created].map((name) => settled(name)));
      const found = left.filter((workspace) => workspace !== undefined);
      const states = found.map(({ name, state }) => `${actionOf(name) ?? 'create'} → ${state}`);
      console.log(`      killed after ${ms} ms: ${states.join(', ')}`);
      for (const workspace of found) {
        if (workspace.name === created) {
          await assertCreateIsWhole(workspace);
        } else {
          assert.notEqual(workspace.state, 'error', JSON.stringify(workspace.problem));
          await assertTrue(workspace);
        }
      }
      await Promise.all(found.filter(({ name }) => name !== created).map(({ name }) => bringBack(name)));
      // Killed before it was on disk it has not begun; else it is finished, and nothing between.
      const doomed = found.find(({ name }) => name === names.get('delete'));
      assert(doomed === undefined || doomed.state === 'running', doomed?.state);
      if (doomed === undefined) {
        names.delete('delete');
      }
    });
  }

  const actionOf = (name: string) => [...names].find(([, known]) => known === name)?.[0];

  /** It runs, or says that it was cut off and can be recovered. */
  async function assertCreateIsWhole({ name, state, problem }: Workspace): Promise<void> {
    if (state === 'error') {
      assert.equal(problem?.code, 'interrupted');
      await harness().verb('recover', name);
    }
    assert.equal(await harness().ssh(name, ['echo', 'whole']), 'whole');
    await harness().delete(name);
  }

  const scripts = 'in the middle of the post-start scripts: the next engine runs them to their end';
  itOfContainers('the engine alone', scripts, async () => {
    const script = join(harness().folder, 'slow.sh');
    await writeFile(script, '#!/bin/sh\necho begun >>~/begun\nsleep 5\necho ended >>~/ended\n');
    const { name, homeVolume } = await harness().create({ postStart: { scripts: [script] } });
    await harness().verb('stop', name);
    await harness().begin('start', name);
    await eventually('the script has begun', async () => {
      const begun = await harness()
        .client.readFile(homeVolume, '/begun')
        .catch(() => '');
      return begun.toString() === 'begun\nbegun\n';
    });
    await harness().killAndRestart();
    await harness().untilState(name, 'running');
    assert.equal(await harness().sh(name, 'tail -n 1 ~/ended; wc -l <~/begun'), 'ended\n3');
    await harness().delete(name);
  });

  it('tells operations that were cut off as interrupted', async () => {
    const operations = await harness().client.call('operations.list', {});
    const cut = operations.filter(({ status }) => status === 'interrupted');
    assert(cut.length > 0);
    assert(cut.every(({ error, endedAt }) => error?.hint !== undefined && endedAt !== undefined));
    assert(operations.every(({ status }) => status !== 'running'));
  });

  itLeavesNothing(harness);
});
