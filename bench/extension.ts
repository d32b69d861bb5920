/** The extension: how big its bundle is, and how long it takes to load and activate. */
import { execFile } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { main, median, repository, time, withHome, type Row } from './lib';

const rounds = 15;
const bundle = join(repository, 'dist', 'extension.js');

interface Times {
  load: number;
  activate: number;
}

/** One fresh process: what it measured is what it printed. */
async function once(home: string): Promise<Times> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(__dirname, 'support', 'activate.js'), bundle],
    { env: { ...process.env, BERTH_HOME: home }, timeout: 30_000 },
  );
  return JSON.parse(stdout) as Times;
}

async function measure(): Promise<Row[]> {
  if (!existsSync(bundle)) {
    throw new Error('dist/extension.js is not there: npm run build.');
  }
  const times: Times[] = [];
  const bare: number[] = [];
  await withHome(async (home) => {
    for (let round = 0; round < rounds; round += 1) {
      bare.push(await time(() => promisify(execFile)(process.execPath, ['-e', '0'])));
      times.push(await once(home));
    }
  });
  const total = median(times.map(({ load, activate }) => load + activate));
  return [
    {
      what: 'extension: load + activate, against a stub of the API of VS Code',
      value: total,
      unit: 'ms',
      // Tells how fast the machine was just then.
      baseline: { what: '`node -e 0`', value: median(bare) },
      budget: { atMost: 50, of: 'value' },
      note: `load ${median(times.map(({ load }) => load)).toFixed(1)} ms, median of ${rounds}`,
    },
    {
      what: 'extension: bundle',
      value: statSync(bundle).size / 1000,
      unit: 'kB',
      budget: { atMost: 150, of: 'value' },
    },
  ];
}

main('Extension', measure);
