/** The home disk of a microVM over the API, with what is copied in and out of it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TransferCreate } from '../../src/api';
import { must } from './docker';
import type { RunningEngine } from './engine';
import { wait } from './microvms';
import type { Row } from './report';
import { makeSources } from './sources';
import { median, repeat } from './statistics';

export interface Sizes {
  bigMiB: number;
  files: number;
  /** How often each latency is measured, and that of a long list. */
  rounds: { short: number; long: number };
}

export type Question = 'stat' | 'list 100 entries' | 'read 4 KiB' | 'list 10,000 entries';
export type Baseline = Record<Question, () => Promise<unknown>>;

const budgets: Record<Question, number> = {
  ...{ stat: 1, 'list 100 entries': 1.5, 'read 4 KiB': 1, 'list 10,000 entries': 75 },
};
/** Made in the guest: a folder of so many entries. */
export const flat = '/flat';

export class HomeDisk {
  readonly volume: string;
  /** A folder of this machine with what is copied; one of the disk with the same. */
  readonly local: string;
  readonly inside: string;
  private turn = 0;

  constructor(
    readonly engine: RunningEngine,
    readonly workspace: string,
    readonly state: 'running' | 'stopped',
    temporary: string,
    readonly sizes: Sizes,
  ) {
    this.volume = `workspace-${workspace}`;
    this.local = join(temporary, state);
    this.inside = `/${state}`;
  }

  /** Where it lies. */
  get file(): string {
    return join(this.engine.home, 'volumes', `${this.volume}.ext4`);
  }

  /** Where the next copy goes on this machine: to a new place each time, as ext4 is slow where files were just deleted. */
  get copy(): string {
    return join(this.local, `copy-${this.turn}`);
  }

  /** Here, and on the disk. */
  async fill(): Promise<void> {
    mkdirSync(this.local);
    await makeSources(this.local, this.sizes.bigMiB, this.sizes.files);
    const { client } = this.engine;
    await client.call('files.mkdir', { params: { volume: this.volume }, body: { path: this.inside } });
    const local = ['hundred', 'many', 'big'].map((name) => join(this.local, name));
    await this.transfer({ from: { local }, to: { volume: this.volume, path: this.inside } });
  }

  up(name: string): Promise<void> {
    const from = { local: [join(this.local, name)] };
    return this.transfer({ from, to: { volume: this.volume, path: '/copy' }, exact: true });
  }

  down(name: string): Promise<void> {
    const from = { volume: this.volume, paths: [`${this.inside}/${name}`] };
    return this.transfer({ from, to: { local: this.copy }, exact: true });
  }

  /** Before every turn, so that all begin alike. */
  async forgetCopies(): Promise<void> {
    this.turn += 1;
    const { client } = this.engine;
    const body = { path: '/copy', recursive: true };
    await client.call('files.remove', { params: { volume: this.volume }, body }).catch(() => undefined);
    await must(['sync']);
  }

  async latencies(baseline: Baseline, what: string): Promise<Row[]> {
    const { client } = this.engine;
    const params = { volume: this.volume };
    const file = `${this.inside}/hundred/f1`;
    const list = (path: string) => () => client.call('files.list', { params, query: { path } });
    const ours: Baseline = {
      stat: () => client.call('files.stat', { params, query: { path: file } }),
      'list 100 entries': list(`${this.inside}/hundred`),
      'read 4 KiB': () => client.readFile(this.volume, file),
      'list 10,000 entries': list(flat),
    };
    const rows: Row[] = [];
    for (const question of Object.keys(ours) as Question[]) {
      const { short, long } = this.sizes.rounds;
      const times = question === 'list 10,000 entries' ? long : short;
      rows.push({
        ...{ what: `${this.state}: ${question}`, unit: 'ms', note: `median of ${times}` },
        value: median(await repeat(times, ours[question])),
        baseline: { what, value: median(await repeat(times, baseline[question])) },
        budget: this.budgetOf(question),
      });
    }
    return rows;
  }

  /** A list of a stopped disk is held to the process that reads the same image; all else to what a user feels. */
  private budgetOf(question: Question): NonNullable<Row['budget']> {
    return this.state === 'stopped' && question === 'list 10,000 entries'
      ? { atMost: 1.5, of: 'ratio' }
      : { atMost: budgets[question], of: 'value' };
  }

  private async transfer(body: TransferCreate): Promise<void> {
    const { client } = this.engine;
    await client.waitFor(await client.call('transfers.create', { body, ...wait }));
  }
}
