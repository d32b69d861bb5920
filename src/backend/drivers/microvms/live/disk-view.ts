/**
 * A disk of a machine that runs, as it was at one moment, while its guest goes on. QEMU lays a filter (`copy-before-write`) over
 * it, which moves what the guest is about to write over to a scratch file first; a node above that (`snapshot-access`) shows the
 * disk as it was, and is served by NBD to a program that copies it. What goes wrong on that side breaks the view, never a write
 * of the guest: a plain backup job would hand the guest errors of the copy (QEMU: docs/interop/live-block-operations.rst,
 * qapi/block-core.json, `OnCbwError`).
 */
import { BerthError } from '../../../../api/errors';
import { QmpError, type QmpClient } from '../qemu/qmp';
import type { NbdDisk } from '../rootfs/convert';

const names = {
  filter: (serial: string) => `before-${serial}`,
  scratch: (serial: string) => `scratch-${serial}`,
  view: (serial: string) => `view-${serial}`,
};
const ofView = /^(?:before|scratch|view)-(.+)$/;
/** A write of the guest waits no longer for what it writes over to be moved: the view is broken then. */
const moveTimeoutSeconds = 15;

/** For the answers of a QEMU that did not answer before. */
const impatientMs = 3_000;

type Qmp = Pick<QmpClient, 'execute'>;

/** The serial of the disk that a node is, or is laid over. */
export function serialOfNode(node: string | undefined): string | undefined {
  return /^(?:disk|before)-(.+)$/.exec(node ?? '')?.[1];
}

export class DiskView {
  constructor(
    private readonly qmp: Qmp,
    private readonly serial: string,
  ) {}

  /** Bytes of the disk, as its guest sees it. Throws `internal` for a disk that QEMU does not know. */
  async size(): Promise<number> {
    const node = (await blockNodes(this.qmp)).find((each) => each['node-name'] === `disk-${this.serial}`);
    const bytes = node?.image?.['virtual-size'];
    if (bytes === undefined) {
      throw new BerthError('internal', `QEMU does not know the disk ${this.serial}.`);
    }
    return bytes;
  }

  /** `scratch`: a new qcow2 of the size of the disk. What is left of an earlier view is taken away first. Throws `not_supported` where QEMU is older than 7.1. */
  async prepare(scratch: string): Promise<void> {
    const { qmp, serial } = this;
    await this.close();
    await qmp.execute('blockdev-add', {
      ...{ driver: 'qcow2', 'node-name': names.scratch(serial) },
      file: { driver: 'file', filename: scratch },
    });
    try {
      await qmp.execute('blockdev-add', {
        ...{ driver: 'copy-before-write', 'node-name': names.filter(serial), file: `disk-${serial}` },
        ...{ target: names.scratch(serial), 'on-cbw-error': 'break-snapshot' },
        'cbw-timeout': moveTimeoutSeconds,
      });
    } catch (error) {
      throw error instanceof QmpError ? tooOld(error) : error;
    }
  }

  /** The moment: what is written from now on is not in it. */
  async begin(): Promise<void> {
    await setDrive(this.qmp, this.serial, names.filter(this.serial));
  }

  /** Serves it on a socket that is this view's alone. */
  async serve(socket: string): Promise<NbdDisk> {
    const { qmp, serial } = this;
    const name = names.view(serial);
    // Not before the moment: two that write to the disk, one of them past the filter, are refused.
    await qmp.execute('blockdev-add', {
      ...{ driver: 'snapshot-access', 'node-name': name, file: names.filter(serial) },
    });
    await qmp.execute('nbd-server-start', { addr: { type: 'unix', data: { path: socket } } });
    await qmp.execute('block-export-add', { type: 'nbd', id: name, 'node-name': name, name: serial });
    return { path: `the disk ${serial}`, format: 'nbd', socket, name: serial };
  }

  /**
   * Takes it all away again, however far it had come; what fails leaves out nothing of the rest. Throws the first
   * failure, and `internal` where QEMU still moves what is written.
   */
  async close(): Promise<void> {
    const { serial } = this;
    const failures: unknown[] = [];
    const qmp: Qmp = {
      execute: (command, args) =>
        this.qmp.execute(command, args, failures.some(isLate) ? impatientMs : undefined),
    };
    const steps = [
      () => qmp.execute('nbd-server-stop'),
      () => qmp.execute('blockdev-del', { 'node-name': names.view(serial) }),
      () => setDrive(qmp, serial, `disk-${serial}`),
      () => qmp.execute('blockdev-del', { 'node-name': names.filter(serial) }),
      () => qmp.execute('blockdev-del', { 'node-name': names.scratch(serial) }),
    ];
    for (const step of steps) {
      await step().catch((error: unknown) => failures.push(error));
    }
    // What QEMU refuses was not there, or shows below.
    const failure = failures.find((error) => !(error instanceof QmpError));
    if (failure !== undefined) {
      throw failure;
    }
    if ((await blockNodes(qmp)).some((node) => node['node-name'] === names.filter(serial))) {
      throw new BerthError('internal', `QEMU goes on moving what is written to the disk ${serial}.`);
    }
  }
}

/**
 * Takes views away that an engine has left which was killed; answers the disks. Throws the first failure when all were
 * tried.
 */
export async function closeLeftViews(qmp: Qmp): Promise<string[]> {
  const found = (await blockNodes(qmp)).flatMap((node) => ofView.exec(node['node-name'])?.[1] ?? []);
  const serials = [...new Set(found)];
  const failures: unknown[] = [];
  for (const serial of serials) {
    await new DiskView(qmp, serial).close().catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) {
    throw failures[0];
  }
  return serials;
}

const isLate = (error: unknown): boolean => error instanceof BerthError && error.code === 'timeout';

/**
 * The device keeps its place, its guest sees nothing of it. Devices have the serials of their disks as ids. One that has the node
 * already is left alone: QEMU 7.2 ends, by an assertion, when it is to replace a node by itself.
 */
async function setDrive(qmp: Qmp, serial: string, node: string): Promise<void> {
  const drive = { path: `/machine/peripheral/${serial}`, property: 'drive' };
  if ((await qmp.execute('qom-get', drive)) !== node) {
    await qmp.execute('qom-set', { ...drive, value: node });
  }
}

interface BlockNode {
  'node-name': string;
  image?: { 'virtual-size'?: number };
}

async function blockNodes(qmp: Qmp): Promise<BlockNode[]> {
  const answer = await qmp.execute('query-named-block-nodes', { flat: true });
  return Array.isArray(answer) ? (answer as BlockNode[]) : [];
}

function tooOld(cause: QmpError): BerthError {
  return new BerthError(
    'not_supported',
    `This QEMU can't show a disk of a machine that runs: ${cause.message}`,
    {
      hint: 'Stop the workspace first, or install QEMU 7.1 or later and start the workspace again.',
      cause,
    },
  );
}
