/** What this machine can run guests with: QEMU, the guest kit and the acceleration; found once, then remembered. */
import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../../../machine/log';
import type { GuestKit, GuestKits } from '../parts';
import {
  findAcceleration,
  knownAcceleration,
  knownObstacle,
  type Found,
  type Obstacle,
} from '../qemu/acceleration';
import type { Acceleration, MachinePlan } from '../qemu/command-line';
import { processorId } from '../qemu/processor';
import { findQemu, type QemuPrograms, type QemuEnvironment } from '../qemu/programs';
import { removeTree } from '../../../machine/files';
import type { MicrovmFiles, RuntimeFiles } from '../runtimes/runtime-files';

/** What the guest says on its console as soon as it has booted. */
export const waitingMark = 'BERTH WAITING';
const probeMemoryMiB = 256;
const kitTimeoutMs = 20 * 60_000;
const programsKeptMs = 30_000;

export interface HostTools {
  programs: QemuPrograms;
  kit: GuestKit;
  acceleration: Acceleration;
  /** Undefined where guests see nothing of it. */
  processor: string | undefined;
}

export interface HostOptions {
  files: MicrovmFiles;
  kits: GuestKits;
  environment: QemuEnvironment;
  log: Log;
  /** Instead of what a probe finds. */
  acceleration?: Acceleration;
}

export class Host {
  private found: Promise<HostTools> | undefined;
  /** When what was found is asked for again, in ms since 1970. */
  private untilMs = Infinity;
  private known: { programs: QemuPrograms; atMs: number } | undefined;

  constructor(private readonly options: HostOptions) {}

  get architecture(): QemuEnvironment['architecture'] {
    return this.options.environment.architecture;
  }

  /** Makes the kit when there is none. Throws `runtime_unavailable` saying what is missing and how to get it. */
  async tools(): Promise<HostTools> {
    const tools = await this.lastFound();
    if (await this.options.kits.has(tools.kit.kernel, tools.kit.hash)) {
      return tools;
    }
    // The cache was cleared, or damaged, since it was found.
    this.forget();
    return this.lastFound();
  }

  private lastFound(): Promise<HostTools> {
    if (this.found === undefined || Date.now() > this.untilMs) {
      this.untilMs = Infinity;
      const found = this.find();
      this.found = found;
      found.catch(() => this.forget());
    }
    return this.found;
  }

  /** The kit that there is now. */
  kit(): Promise<GuestKit | undefined> {
    return this.options.kits.find();
  }

  /** Asking a program for its version takes a while: that is not done for every look at the state. */
  async programs(): Promise<QemuPrograms> {
    const now = performance.now();
    if (this.known === undefined || now - this.known.atMs > programsKeptMs) {
      this.known = { programs: await findQemu(this.options.environment), atMs: now };
    }
    return this.known.programs;
  }

  /** Why guests are emulated, as far as it is known without booting one. Throws as `programs` does. */
  async obstacle(): Promise<Obstacle | undefined> {
    const { acceleration, environment, files } = this.options;
    if (acceleration !== undefined) {
      return undefined;
    }
    const programs = await this.programs();
    return knownObstacle({ programs, environment, cacheFile: files.acceleration });
  }

  /** What runs guests here, as far as it is known without booting one. Throws as `programs` does. */
  async acceleration(): Promise<Acceleration | undefined> {
    const { acceleration, environment, files } = this.options;
    const programs = await this.programs();
    return acceleration ?? knownAcceleration({ programs, environment, cacheFile: files.acceleration });
  }

  /** Asks anew for an acceleration that failed when it was asked for last. Makes no kit. Throws as `programs` does. */
  async probeAgain(): Promise<void> {
    this.known = undefined;
    const kit = await this.kit();
    if (kit !== undefined && (await this.obstacle()) !== undefined) {
      await this.probe(await this.programs(), kit, true);
      this.forget();
    }
  }

  /** Looks again at the next call, e.g. after a new kit was built. */
  forget(): void {
    this.known = undefined;
    this.found = undefined;
  }

  private async find(): Promise<HostTools> {
    const programs = await this.programs();
    const kit = (await this.kit()) ?? (await this.buildKit());
    const { acceleration, untilMs = Infinity } = await this.accelerationOf(programs, kit);
    this.untilMs = untilMs;
    const processor = acceleration === 'tcg' ? undefined : await processorId();
    return { programs, kit, acceleration, processor };
  }

  /** The first time, and after an update of Berth that brings other scripts. */
  private buildKit(): Promise<GuestKit> {
    const { kits, log } = this.options;
    return kits.build((text) => log.info({ text }, 'kernel of microVMs'), AbortSignal.timeout(kitTimeoutMs));
  }

  private async accelerationOf(programs: QemuPrograms, kit: GuestKit): Promise<Found> {
    const { acceleration } = this.options;
    if (acceleration !== undefined) {
      return { acceleration };
    }
    return this.probe(programs, kit);
  }

  private async probe(programs: QemuPrograms, kit: GuestKit, isAskedFor = false): Promise<Found> {
    const { files, environment, log } = this.options;
    const folder = join(files.home, `probe-${randomUUID().slice(0, 8)}`);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    try {
      await files.ensureSocketFolder(folder);
      const probe = {
        ...{ programs, environment, cacheFile: files.acceleration, marker: waitingMark },
        machine: (acceleration: Acceleration) => this.probeMachine(kit, acceleration, files.inFolder(folder)),
      };
      const found = await findAcceleration(probe, isAskedFor);
      if (found.reason !== undefined) {
        log.info({ reason: found.reason }, 'microVMs are emulated');
      }
      return found;
    } finally {
      await removeTree(folder);
    }
  }

  private probeMachine(kit: GuestKit, acceleration: Acceleration, files: RuntimeFiles): MachinePlan {
    return {
      ...{ architecture: this.architecture, acceleration, cpus: 1, memoryMiB: probeMemoryMiB },
      ...{ kernel: kit.kernel, initrd: kit.initrd, kernelArguments: kit.kernelArguments },
      ...{
        name: 'berth-probe',
        uuid: randomUUID(),
        sshPort: undefined,
        isOffline: true,
        isFiltered: false,
        incoming: undefined,
      },
      disks: [{ serial: 'tools', file: kit.toolsDisk, format: 'raw', readOnly: true }],
      ...{ sockets: files.sockets, consoleLog: files.consoleLog, pidFile: files.pidFile },
    };
  }
}
