/** MicroVMs, looked at and handled by their processes and files. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { BerthError } from '../../../src/api/errors';
import { ownQemuEnvironment } from '../../../src/backend/drivers/microvms/qemu/programs';
import { Shares } from '../../../src/backend/drivers/microvms/virtiofs/shares';
import { until } from '../wait';
import { ContainersUnderTest } from './containers';
import type { RealState, RuntimeUnderTest, TestedEngine } from './runtime-under-test';

/** Kit, root file systems and templates: made once, kept for the next run. */
export const microvmCache =
  process.env.BERTH_CACHE ??
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'berth', 'microvm');

/** Why folders can't be shared with microVMs here; undefined when they can. Throws where there is nothing to do it with. */
export async function obstacleToShares(): Promise<string | undefined> {
  try {
    await new Shares(ownQemuEnvironment()).require(['test']);
    return undefined;
  } catch (error) {
    if (error instanceof BerthError && error.message.endsWith('for root only.')) {
      return `a virtiofsd for ordinary users: ${error.message}`;
    }
    throw error;
  }
}

const endTimeoutMs = 30_000;
const greetingTimeoutMs = 10_000;

interface KnownRuntime {
  plan: { sshPort: number };
  paused?: boolean;
}

export class MicrovmsUnderTest implements RuntimeUnderTest {
  readonly kind = 'microvm';
  readonly volumeKind = 'disk';
  readonly env = { BERTH_CACHE: microvmCache };
  /** All the same, so that one template serves all. */
  readonly defaults = { limits: { memoryMiB: 256 } };
  /** What the driver for containers may leave, which the one for microVMs uses. */
  private readonly containers: ContainersUnderTest;

  constructor(private readonly engine: TestedEngine) {
    this.containers = new ContainersUnderTest(engine);
  }

  async stateOf(name: string): Promise<RealState> {
    const record = join(this.folder(name), 'runtime.json');
    if (!existsSync(record)) {
      return 'gone';
    }
    const { plan, paused } = JSON.parse(await readFile(record, 'utf8')) as KnownRuntime;
    if ((await this.pidOf(name)) === undefined) {
      // Of what ended before its memory was saved, nothing can go on.
      const isSaved = existsSync(join(this.folder(name), 'machine.state'));
      return paused === true && isSaved ? 'paused' : 'stopped';
    }
    // Who has QEMU's only connection is the engine, so others ask the guest.
    return (await greets(plan.sshPort)) ? 'running' : 'paused';
  }

  async remove(name: string): Promise<void> {
    const pid = await this.pidOf(name);
    const files = (await readdir(this.folder(name))).filter((file) => !file.startsWith('workspace.json'));
    await Promise.all(files.map((file) => rm(join(this.folder(name), file), { recursive: true })));
    await endProcess(pid, 'SIGKILL');
  }

  async kill(name: string): Promise<void> {
    await endProcess(await this.pidOf(name), 'SIGKILL');
  }

  async stop(name: string): Promise<void> {
    await endProcess(await this.pidOf(name), 'SIGTERM');
  }

  /** A kernel that has crashed and stays so. */
  async deafen(name: string, asRoot: (script: string) => Promise<unknown>): Promise<void> {
    const console = join(this.folder(name), 'console.log');
    const length = (await readFile(console)).length;
    // Nobody is left to tell how it ended.
    void asRoot('sync; echo 0 >/proc/sys/kernel/panic; echo c >/proc/sysrq-trigger').catch(() => undefined);
    const hasCrashed = async () => (await readFile(console)).subarray(length).includes('Kernel panic');
    await until('its kernel has crashed', hasCrashed, endTimeoutMs, 50);
  }

  hasVolume(volume: string): Promise<boolean> {
    return Promise.resolve(existsSync(this.disk(volume)));
  }

  async removeVolume(volume: string): Promise<void> {
    await rm(this.disk(volume));
  }

  async forgetImage(imageId: string): Promise<void> {
    const base = join(microvmCache, 'images', 'rootfs', imageId.replace(/^sha256:/, ''));
    await Promise.all(['.ext4', '.json'].map((ending) => rm(base + ending, { force: true })));
  }

  async runtimes(): Promise<string[]> {
    const machines = await machinesOf(this.engine.home);
    return [...(await this.containers.runtimes()), ...machines.map((pid) => `QEMU ${pid}`)];
  }

  /** Rows of the index, and files that are in none. */
  async volumes(): Promise<string[]> {
    const folder = join(this.engine.home, 'volumes');
    const files: string[] = await readdir(folder).catch(() => []);
    const index = files.includes('index.json') ? await readFile(join(folder, 'index.json'), 'utf8') : '{}';
    const { volumes = [] } = JSON.parse(index) as { volumes?: { name: string }[] };
    const disks = files.filter((file) => file !== 'index.json');
    return [...(await this.containers.volumes()), ...volumes.map(({ name }) => name), ...disks].sort();
  }

  async clear(): Promise<void> {
    for (const pid of await machinesOf(this.engine.home)) {
      process.kill(pid, 'SIGKILL');
    }
    await this.containers.clear();
  }

  private folder(name: string): string {
    return join(this.engine.home, 'workspaces', name);
  }

  private disk(volume: string): string {
    return join(this.engine.home, 'volumes', `${volume}.ext4`);
  }

  private async pidOf(name: string): Promise<number | undefined> {
    const text = await readFile(join(this.folder(name), 'qemu.pid'), 'utf8').catch(() => '');
    return (await machinesOf(this.engine.home)).find((pid) => pid === Number.parseInt(text, 10));
  }
}

/** A guest that stands still takes connections, and says nothing. */
async function greets(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    const [said] = (await once(socket, 'data', { signal: AbortSignal.timeout(greetingTimeoutMs) })) as [
      Buffer,
    ];
    return said.toString().startsWith('SSH-');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function endProcess(pid: number | undefined, signal: NodeJS.Signals): Promise<void> {
  if (pid !== undefined) {
    process.kill(pid, signal);
    // One that has ended and was not waited for yet has no command line.
    const isGone = async () => (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')) === '';
    await until(`QEMU ${pid} has ended`, isGone, endTimeoutMs, 20);
  }
}

/** Every QEMU that has this state directory on its command line. A dead one that nobody has waited for has none. */
export async function machinesOf(home: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return line.includes('qemu-system') && line.includes(home) ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}
