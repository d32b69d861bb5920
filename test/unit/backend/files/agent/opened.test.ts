/** Folders that let their owner not in: an agent of an ordinary user opens them for a moment, and may be killed just then. */
import assert from 'node:assert/strict';
import { chmodSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { sweepLeftovers } from '../../../../../src/backend/files/agent/sweep';
import { failure } from '../../../../support/errors';
import { tarOf, type Member } from '../../../../support/files/agents/room';
import { isRoot } from '../../../../support/skip';
import { TestVolume } from './harness';

const nobody = 65_534;

/** Ends the agent at the first call of `renameat2` that puts `name` in place: just before, or just after it. */
const killedAt = (name: string, moment: 'before' | 'after'): string => `
import ctypes, os, signal
libc = ctypes.CDLL
class Libc:
    def __init__(self, *args, **named):
        self._libc = libc(*args, **named)
    def __getattr__(self, name):
        return getattr(self._libc, name)
    def renameat2(self, source_directory, source, target_directory, target, flags):
        is_open = os.stat(source, dir_fd=source_directory, follow_symlinks=False).st_mode & 0o700 == 0o700
        is_it = target == ${JSON.stringify(name)}.encode() and is_open
        if is_it and ${JSON.stringify(moment)} == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        done = self._libc.renameat2(source_directory, source, target_directory, target, flags)
        if is_it and done == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return done
ctypes.CDLL = Libc
`;

describe('files/agent: folders that are opened for a moment', () => {
  let volume: TestVolume;
  const start = async (before?: string): Promise<void> => {
    volume = await TestVolume.create('test', { before, ...(isRoot && { uid: nobody }) });
  };
  afterEach(() => volume.dispose());

  const closed: Member[] = [
    [{ name: 'd/', type: 'directory', mode: 0o755 }],
    [{ name: 'd/closed/', type: 'directory', mode: 0o555 }],
    [{ name: 'd/closed/inner/', type: 'directory', mode: 0o500 }],
    [{ name: 'd/closed/inner/f' }, 'text'],
  ];
  const modeOf = (path: string): string => (lstatSync(join(volume.root, path)).mode & 0o7777).toString(8);
  async function merge(): Promise<void> {
    await volume.files.mkdir('/d');
    const stage = await volume.files.stage();
    const { failed } = await volume.files.putTar(stage, tarOf(closed));
    assert.deepEqual(failed, []);
    await volume.files.merge(stage, '/', 'overwrite');
  }
  /** As for whoever opens the volume next. */
  const openAgain = async () => sweepLeftovers(await volume.channel());
  /** What is ours in the volume. */
  const left = (): string[] => readdirSync(volume.root).filter((name) => name.startsWith('.berth-'));

  it('have their modes again', async () => {
    await start();
    await merge();
    assert.deepEqual([modeOf('d/closed'), modeOf('d/closed/inner')], ['555', '500']);
    assert.deepEqual(left(), []);
  });

  it('have them again from the next agent, when theirs was killed just then', async () => {
    await start(killedAt('closed', 'after'));
    await failure(merge(), 'runtime_unavailable');
    assert.equal(modeOf('d/closed'), '700', 'it is open');
    await openAgain();
    assert.deepEqual([modeOf('d/closed'), modeOf('d/closed/inner'), left()], ['555', '500', []]);
  });

  it('leave no note where they never arrived', async () => {
    await start(killedAt('closed', 'before'));
    await failure(merge(), 'runtime_unavailable');
    await openAgain();
    assert.deepEqual([(await volume.files.list('/d')).entries, left()], [[], []]);
  });

  it('keep a mode that they were given since', async () => {
    await start(killedAt('closed', 'after'));
    await failure(merge(), 'runtime_unavailable');
    chmodSync(join(volume.root, 'd/closed'), 0o750);
    await openAgain();
    assert.deepEqual([modeOf('d/closed'), left()], ['750', []]);
  });
});
