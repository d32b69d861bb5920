/**
 * `npm run soak [-- --minutes N] [--seed N]`: the tests that draw random cases or kill at random moments, again and again
 * with other cases, for N minutes (60). A round that fails says its seed: `BERTH_SEED=N npm test -- SUITE` has it again.
 */
import { parseArgs } from 'node:util';
import { ROOT } from './lib/paths.mjs';
import { run } from './lib/run.mjs';

/** After that which `npm test` sets itself. */
const ROUND_TIMEOUT_MS = 5_400_000;

/** What a round runs: a suite, and which of its tests. With microVMs all: a run leaves out what containers show as well. */
const PARTS = [
  ['unit'],
  ['engine', '--grep', 'faults: |keep what they are|is killed|another machine'],
  ['microvm'],
];

/** @param {string[]} part @param {number} seed */
async function passes(part, seed) {
  const env = { ...process.env, BERTH_SEED: String(seed) };
  const options = { cwd: ROOT, show: true, allowFailure: true, timeoutMs: ROUND_TIMEOUT_MS, env };
  const { code } = await run(process.execPath, ['scripts/test.mjs', ...part], options);
  return code === 0;
}

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '60' }, seed: { type: 'string' } },
});
const [minutes, first] = [values.minutes, values.seed ?? Date.now() % 1_000_000].map(Number);
if (!(minutes > 0) || !Number.isInteger(first)) {
  console.error('--minutes is a number above 0, --seed a whole number.');
  process.exit(1);
}
const end = Date.now() + minutes * 60_000;
let [rounds, passed] = [0, 0];
/** @type {string[]} */
const failures = [];
for (let seed = first; rounds === 0 || Date.now() < end; seed += 1, rounds += 1) {
  for (const part of PARTS) {
    console.log(`\n═══ round ${rounds + 1}, seed ${seed}: ${part.join(' ')}`);
    if (await passes(part, seed)) passed += 1;
    else failures.push(`BERTH_SEED=${seed} npm test -- ${part.map((word) => `'${word}'`).join(' ')}`);
  }
}
console.log('');
for (const failure of failures) console.log(`failed: ${failure}`);
console.log(`\n${rounds} rounds: ${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length > 0 ? 1 : 0;
