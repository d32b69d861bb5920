import assert from 'node:assert/strict';
import { BerthError } from '../../../../../../src/api/errors';
import {
  closeLeftViews,
  DiskView,
  serialOfNode,
} from '../../../../../../src/backend/drivers/microvms/live/disk-view';
import { QmpError } from '../../../../../../src/backend/drivers/microvms/qemu/qmp';
import { failure } from '../../../../../support/errors';

type Args = Record<string, unknown>;
const nodeOf = ({ 'node-name': name }: Args): string => (typeof name === 'string' ? name : '');

/** What of QEMU's block layer matters here, with what it refuses, and what ends it. */
class Blocks {
  readonly nodes = new Map<string, string | undefined>([['disk-home', undefined]]);
  drive = 'disk-home';
  isServing = false;
  isClosing = false;
  refused = '';
  readonly asked: string[] = [];

  execute(command: string, given: object = {}): Promise<unknown> {
    const args = given as Args;
    this.asked.push(command);
    if (command === this.refused) {
      return Promise.reject(new QmpError(command, 'GenericError', 'it does not know that'));
    }
    try {
      return Promise.resolve(this.answer(command, args));
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  private answer(command: string, args: Args): unknown {
    const refuse = (why: string): never => {
      throw new QmpError(command, 'GenericError', why);
    };
    switch (command) {
      case 'query-named-block-nodes':
        return [...this.nodes.keys()].map((name) => ({ 'node-name': name, image: { 'virtual-size': 4096 } }));
      case 'qom-get':
        return this.drive;
      case 'qom-set':
        // QEMU 7.2: bdrv_replace_child_noperm: Assertion `old_bs != new_bs' failed.
        assert.notEqual(args.value, this.drive, 'QEMU ends');
        return void (this.drive = String(args.value));
      case 'blockdev-add': {
        if (args.driver === 'snapshot-access' && this.drive !== args.file) refuse('permission conflict');
        return void this.nodes.set(nodeOf(args), typeof args.file === 'string' ? args.file : undefined);
      }
      case 'blockdev-del': {
        const name = nodeOf(args);
        const users = [...this.nodes].filter(([, below]) => below === name).length;
        if (!this.nodes.has(name)) refuse('no such node');
        if (users > 0 || this.drive === name || (this.isServing && name.startsWith('view'))) refuse('in use');
        return void this.nodes.delete(name);
      }
      case 'nbd-server-start':
        return void (this.isServing = true);
      case 'nbd-server-stop':
        return this.isServing ? void (this.isServing = false) : refuse('it does not run');
      default:
        return undefined;
    }
  }
}

describe('a disk of a running machine as it was at one moment', () => {
  const asItWas = ({ nodes, drive, isServing }: Blocks): void =>
    assert.deepEqual([[...nodes.keys()], drive, isServing], [['disk-home'], 'disk-home', false]);
  const steps: ((view: DiskView) => Promise<unknown>)[] = [
    (view) => view.prepare('/scratch'),
    (view) => view.begin(),
    (view) => view.serve('/view.sock'),
  ];

  it('is taken away again however far it had come, by this engine or by the next', async () => {
    for (let count = 0; count <= steps.length; count += 1) {
      for (const isKilled of [false, true]) {
        const blocks = new Blocks();
        const view = new DiskView(blocks, 'home');
        for (const step of steps.slice(0, count)) {
          await step(view);
        }
        if (count >= 2) {
          assert.equal(blocks.drive, 'before-home');
        }
        if (isKilled) {
          assert.deepEqual(await closeLeftViews(blocks), count === 0 ? [] : ['home']);
        } else {
          await view.close();
        }
        asItWas(blocks);
      }
    }
  });

  it('says what QEMU it takes where that has no such filter, or another thing fails, and leaves the disk', async () => {
    for (const refused of ['blockdev-add', 'qom-set', 'nbd-server-start', 'block-export-add']) {
      const blocks = new Blocks();
      const view = new DiskView(blocks, 'home');
      blocks.refused = refused;
      const run = async (): Promise<void> => {
        for (const step of steps) {
          await step(view);
        }
      };
      await assert.rejects(run(), /it does not know that/);
      await view.close();
      asItWas(blocks);
    }
    const old = new Blocks();
    const execute = (command: string, args?: object): Promise<unknown> =>
      args !== undefined && 'cbw-timeout' in args
        ? Promise.reject(new QmpError(command, 'GenericError', "Parameter 'on-cbw-error' is unexpected"))
        : old.execute(command, args);
    const error = await failure(new DiskView({ execute }, 'home').prepare('/scratch'), 'not_supported');
    assert.match(error.hint ?? '', /QEMU 7\.1 or later/);
  });

  it('says when the filter stays', async () => {
    const blocks = new Blocks();
    const view = new DiskView(blocks, 'home');
    await view.prepare('/scratch');
    await view.begin();
    blocks.refused = 'qom-set';
    await failure(view.close(), 'internal');
  });

  it('is taken away as far as can be when QEMU does not answer in between, and before the next', async () => {
    for (const late of ['nbd-server-stop', 'qom-get', 'blockdev-del']) {
      const blocks = new Blocks();
      let isOnce = true;
      const waited: (number | undefined)[] = [];
      const qmp = {
        execute: (command: string, args?: object, timeoutMs?: number): Promise<unknown> => {
          waited.push(timeoutMs);
          if (command === late && isOnce && blocks.isClosing) {
            isOnce = false;
            return Promise.reject(new BerthError('timeout', 'QEMU did not answer'));
          }
          return blocks.execute(command, args);
        },
      };
      const view = new DiskView(qmp, 'home');
      for (const step of steps) {
        await step(view);
      }
      blocks.isClosing = true;
      await failure(view.close(), 'timeout');
      assert((waited.at(-1) ?? Infinity) < 10_000, 'it is not waited for that long again');
      // Before the next view, and by the next engine, whatever is left.
      const again = new DiskView(qmp, 'home');
      await again.prepare('/scratch');
      await again.begin();
      await again.close();
      asItWas(blocks);
    }
    const blocks = new Blocks();
    blocks.nodes.set('scratch-home', undefined);
    assert.deepEqual(await closeLeftViews(blocks), ['home']);
    asItWas(blocks);
  });

  it('is known by its nodes', () => {
    const nodes = ['disk-home', 'before-v1', 'scratch-home', undefined];
    assert.deepEqual(nodes.map(serialOfNode), ['home', 'v1', undefined, undefined]);
  });
});
