/** The connections to one QEMU that runs: made when needed, made anew when they broke. */
import type { Log } from '../containers/log';
import type { RuntimeState } from '../driver';
import type { ProcessIdentity } from '../../store/process-identity';
import { ControlPort, flooded } from './control-port';
import { NetworkGuard } from './network/guard';
import { waitUntilGone } from './qemu/process';
import type { QmpClient } from './qemu/qmp';
import { statusOf } from './qemu/saved-state';
import type { RuntimeFiles } from './runtime-files';
import { SshLink } from './ssh-link';

const endTimeoutMs = 10_000;

export interface MachineParts {
  name: string;
  qmp: QmpClient;
  process: ProcessIdentity;
  files: RuntimeFiles;
  privateKey: () => Promise<string>;
  log: Log;
  /** Called when the line of its guest was closed, as it said too much. */
  flooded: () => void;
}

export class Machine {
  readonly ssh: SshLink;
  readonly network: NetworkGuard;
  /** Commands of people that run inside now. */
  sessions = 0;
  /** It was started, and what happens to it now is news. */
  isGoing = false;
  /** The guest, or QEMU itself, ended in order. */
  hasShutDown = false;
  /** Not paused by anybody: a disk of it could not be written. As last seen. */
  isHalted = false;
  private floodedBefore = false;
  private control: Promise<ControlPort> | undefined;

  constructor(private readonly parts: MachineParts) {
    this.ssh = new SshLink({
      socket: parts.files.sockets.ssh,
      privateKey: parts.privateKey,
      serve: async () => (await this.controlPort()).serveSsh(),
    });
    this.network = new NetworkGuard({ ...parts, pid: parts.process.pid });
    void parts.qmp.closed.then(() => this.close());
  }

  get name(): string {
    return this.parts.name;
  }
  get qmp(): QmpClient {
    return this.parts.qmp;
  }
  get process(): ProcessIdentity {
    return this.parts.process;
  }

  /** What is to be known of a machine that runs, for people. */
  get detail(): string | undefined {
    if (!this.floodedBefore) {
      return undefined;
    }
    const { message, hint = '' } = flooded();
    return `${message} ${hint}`;
  }

  /** As QEMU says; stopped when it ends while it is asked, once it is gone. A halted one counts as paused. */
  async state(): Promise<RuntimeState> {
    try {
      const status = statusOf(await this.qmp.execute('query-status'));
      this.isHalted = status === 'io-error';
      return status === 'running' ? 'running' : 'paused';
    } catch (error) {
      if (this.qmp.isOpen || !(await waitUntilGone(this.process, endTimeoutMs))) {
        throw error;
      }
      return 'stopped';
    }
  }

  controlPort(): Promise<ControlPort> {
    if (this.floodedBefore) {
      return Promise.reject(flooded());
    }
    if (this.control === undefined) {
      const hopeless = (): string | undefined => (this.qmp.isOpen ? undefined : 'QEMU has ended');
      const control = ControlPort.connect(this.parts.files.sockets.control, hopeless);
      this.control = control;
      const forget = (): void => {
        if (this.control === control) {
          this.control = undefined;
        }
      };
      control.then(
        (port) =>
          void port.closed.then(() => {
            if (port.wasFlooded) {
              this.floodedBefore = true;
              this.parts.flooded();
            }
            forget();
          }),
        forget,
      );
    }
    return this.control;
  }

  /** Lets go of the machine, which runs on. */
  close(): void {
    this.ssh.close();
    this.network.close();
    const { control } = this;
    this.control = undefined;
    control?.then(
      (port) => port.close(),
      () => undefined,
    );
    this.qmp.close();
  }
}
