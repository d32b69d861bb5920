/** What is on disk and on record while a machine is paused, with a QEMU that does as it is told. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, readdir, utimes, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BerthError } from '../../../../../../src/api/errors';
import { KeptKits } from '../../../../../../src/backend/drivers/microvms/kit/kept-kits';
import type { Machines } from '../../../../../../src/backend/drivers/microvms/machines/machines';
import { checksumOf } from '../../../../../../src/backend/drivers/microvms/qemu/saved-state';
import { MicrovmFiles } from '../../../../../../src/backend/drivers/microvms/runtimes/runtime-files';
import type {
  Launch,
  RuntimeRecord,
} from '../../../../../../src/backend/drivers/microvms/runtimes/runtime-record';
import { RuntimeStore } from '../../../../../../src/backend/drivers/microvms/runtimes/runtime-store';
import type { GoingOn, Starter } from '../../../../../../src/backend/drivers/microvms/machines/starter';
import { Suspender } from '../../../../../../src/backend/drivers/microvms/machines/suspender';
import { isDraft } from '../../../../../../src/backend/machine/drafts';
import { StateDirectory } from '../../../../../../src/backend/store/state-directory';
import { useTempFolder } from '../../../../../support/temp';
import { until, within } from '../../../../../support/wait';

const name = 'workspace-w';
const log = { debug() {}, info() {}, warn() {}, error() {} };
const record: RuntimeRecord = {
  id: '00000000-0000-4000-8000-000000000000',
  plan: {
    ...{ name, workspace: 'w', image: 'i', env: {}, limits: {}, docker: false, network: 'on' },
    ...{ homeVolume: 'v', mounts: [], sshPort: 1 },
  },
  ...{ imageId: 'sha256:0', env: {}, createdAt: '2026-01-01T00:00:00.000Z' },
};

/** Answers as QEMU does, and sends `memory` when it is to migrate; `refuses` is a command that fails. */
class FakeMachine {
  status = 'running';
  refuses: string | undefined;
  /** What it has in its memory, when it is asked to. */
  writes = true;
  memory: Buffer = Buffer.from('what was in memory');
  /** Called with every command before it is done. */
  before: (command: string) => Promise<unknown> = () => Promise.resolve();
  private listener: (event: { event: string; data: object }) => void = () => undefined;

  readonly qmp = {
    isOpen: true,
    closed: new Promise<void>(() => undefined),
    onEvent: (listener: FakeMachine['listener']) => {
      this.listener = listener;
      return () => undefined;
    },
    execute: (command: string, args: { uri?: string } = {}) => this.execute(command, args),
  };

  state(): Promise<string> {
    return Promise.resolve(this.status);
  }

  controlPort(): Promise<object> {
    return Promise.resolve({
      sync: () => (this.writes ? Promise.resolve() : Promise.reject(new Error('it does not answer'))),
    });
  }

  setTime(): Promise<void> {
    return Promise.resolve();
  }

  private async execute(command: string, { uri = '' }: { uri?: string }): Promise<object> {
    await this.before(command);
    if (command === this.refuses) {
      throw new Error(`${command} is refused`);
    }
    this.status = { stop: 'paused', cont: 'running' }[command] ?? this.status;
    if (command === 'migrate') {
      connect(uri.replace('unix:', '')).end(this.memory, () => {
        this.listener({ event: 'MIGRATION', data: { status: 'completed' } });
      });
    }
    return {};
  }
}

describe('the pause of a microVM', () => {
  const folder = useTempFolder();
  let store: RuntimeStore;
  let machine: FakeMachine;
  let suspender: Suspender;
  const files = () => store.files.of(name);
  const isPaused = async () => (await store.get(name)).paused === true;
  const others = async () =>
    (await readdir(files().folder)).filter((file) => file !== 'runtime.json' && !file.endsWith('.sock'));

  beforeEach(async () => {
    store = new RuntimeStore(new MicrovmFiles(folder()), log);
    await store.write(record);
    machine = new FakeMachine();
    const machines = { of: () => Promise.resolve(machine), report: () => undefined };
    suspender = new Suspender({
      ...{ store, log, kept: new KeptKits(store, log), starter: {} as unknown as Starter },
      machines: machines as unknown as Machines,
    });
  });
  afterEach(() => suspender.close());

  it('takes a change to its disks for its own only when QEMU had them open', async () => {
    const disk = join(folder(), 'data.ext4');
    const change = async (text: string) => {
      await writeFile(disk, text);
      await utimes(disk, 1_000 + text.length, 1_000 + text.length);
    };
    await change('a');
    const launch: Launch = {
      ...{ acceleration: 'tcg', build: 'b', kit: 'k', kernel: '/k', initrd: '/i', kernelArguments: [] },
      ...{ cpus: 1, memoryMiB: 64, disks: [{ serial: 'home', file: disk, format: 'raw', readOnly: false }] },
    };
    await store.write({ ...record, launch });
    await suspender.pause(await store.get(name));
    await until('it is saved', async () => (await store.get(name)).disksSaved !== undefined);
    let fails: (going: GoingOn) => Promise<never> = () => Promise.reject(new Error('unset'));
    const starter: Pick<Starter, 'restore'> = { restore: (_, going) => fails(going) };
    const noMachine = { of: () => Promise.resolve(undefined), report: () => undefined };
    suspender = new Suspender({
      ...{ store, log, kept: new KeptKits(store, log), starter: starter as unknown as Starter },
      machines: noMachine as unknown as Machines,
    });
    const isRefused = async () =>
      suspender.resume(await store.get(name)).then(
        () => false,
        (error: unknown) => /has changed what/.test(String(error)),
      );
    fails = async (going) => {
      going.opens();
      await change('ab');
      throw new BerthError('internal', 'QEMU ends');
    };
    assert.equal(await isRefused(), false);
    assert.equal(await isRefused(), false, 'that was QEMU');
    fails = async (going) => {
      going.opens();
      await change('abc');
      throw new BerthError('in_use', 'another QEMU has it');
    };
    assert.equal(await isRefused(), false);
    assert.equal(await isRefused(), true, 'that was the other one');
    await change('ab');
    fails = async () => {
      await change('abcd');
      throw new BerthError('gone', 'no kit');
    };
    assert.equal(await isRefused(), false);
    assert.equal(await isRefused(), true, 'QEMU was not started');
  });

  it('is on record before the guest stands still, so that a killed engine leaves no pause of nobody', async () => {
    let known: boolean | undefined;
    machine.before = async (command) => (known = command === 'stop' ? await isPaused() : known);
    await suspender.pause(record);
    assert.equal(known, true);
  });

  it('is on record with whether its guest had written all, until it goes on', async () => {
    for (const writes of [false, true]) {
      machine.writes = writes;
      await suspender.pause(await store.get(name));
      await suspender.settled(name, new AbortController().signal);
      assert.equal((await store.get(name)).unsynced, writes ? undefined : true);
      await suspender.resume(await store.get(name));
      assert.equal((await store.get(name)).unsynced, undefined);
    }
  });

  it('is not waited for, while it is saved, by who gives that up', async () => {
    machine.before = (command) => (command === 'migrate' ? sleep(500) : Promise.resolve());
    await suspender.pause(record);
    const given = new AbortController();
    const settled = suspender.settled(name, given.signal);
    given.abort();
    await assert.rejects(within('it is given up', settled, 300), { name: 'AbortError' });
    await assert.rejects(suspender.settled(name, given.signal), { name: 'AbortError' });
    await suspender.settled(name, new AbortController().signal);
    assert.equal(await suspender.isSaved(await store.get(name)), true);
  });

  it('is none when QEMU refused it', async () => {
    machine.refuses = 'stop';
    await assert.rejects(suspender.pause(record), /refused/);
    assert.equal(await isPaused(), false);
  });

  it('is taken back when the engine was killed before the guest stood still', async () => {
    await store.change(name, { paused: true });
    await suspender.keep(await store.get(name));
    assert.equal(await isPaused(), false);
    assert.equal(existsSync(files().state), false);
  });

  it('is saved by the next engine when the one before was killed after the guest stood still', async () => {
    machine.status = 'paused';
    await store.change(name, { paused: true });
    await suspender.keep(await store.get(name));
    await until('it is saved', () => existsSync(files().state));
    assert.deepEqual(await readFile(files().state), machine.memory);
  });

  it('never goes on from what an earlier pause has left', async () => {
    await writeFile(files().state, 'of an earlier pause');
    machine.refuses = 'migrate';
    await suspender.pause(record);
    await suspender.close();
    assert.equal(await suspender.isSaved(await store.get(name)), false);
  });

  it('leaves drafts alone behind when the engine is killed while it saves, or removes what was saved', async () => {
    const during: string[] = [];
    machine.memory = Buffer.alloc(1024);
    const { execute } = machine.qmp;
    machine.qmp.execute = async (command, args) => {
      const answer = await execute(command, args);
      if (command === 'migrate') {
        await until('it is received', async () => {
          during.push(...(await others()));
          return during.length > 0;
        });
      }
      return answer;
    };
    await suspender.pause(record);
    // The draft goes a moment after what was saved has its name.
    await until('it is saved, and no draft is left', async () => {
      const names = await others();
      return existsSync(files().state) && !names.some(isDraft);
    });
    assert(
      during.every((file) => isDraft(file) || file.startsWith('machine.state')),
      during.join(),
    );
    assert(during.some(isDraft));
    assert.deepEqual((await others()).sort(), ['machine.state', 'machine.state.sum']);
    await suspender.resume(await store.get(name));
    assert.equal(existsSync(checksumOf(files().state)), false);
    const left = await others();
    assert(left.every(isDraft), left.join());
    // What the next engine does first.
    const directory = new StateDirectory(dirname(dirname(files().folder)));
    await directory.ensure();
    await directory.sweep();
    assert.deepEqual(await others(), []);
  });
});
