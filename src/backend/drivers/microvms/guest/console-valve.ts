/** Whether QEMU writes down what the guest says on its console. */
import type { QmpClient } from '../qemu/qmp';

/** By which `-chardev` names it. */
const console = 'console';

export class ConsoleValve {
  private isClosed = false;

  constructor(
    private readonly qmp: Pick<QmpClient, 'execute'>,
    private readonly path: string,
  ) {}

  /** What is said from now on is lost. False when this QEMU can't do so, e.g. for want of a serial port that can. */
  async close(): Promise<boolean> {
    this.isClosed = await this.change({ type: 'null', data: {} });
    return this.isClosed;
  }

  async open(): Promise<void> {
    if (this.isClosed) {
      this.isClosed = !(await this.change({ type: 'file', data: { out: this.path, append: true } }));
    }
  }

  /** For a machine of an earlier engine, which may have closed it. */
  async adopt(): Promise<void> {
    const answer = await this.qmp.execute('query-chardev');
    const chardevs = Array.isArray(answer) ? (answer as { label?: unknown; filename?: unknown }[]) : [];
    this.isClosed = chardevs.some(({ label, filename }) => label === console && filename === 'null');
    await this.open();
  }

  private async change(backend: object): Promise<boolean> {
    return this.qmp.execute('chardev-change', { id: console, backend }).then(
      () => true,
      () => false,
    );
  }
}
