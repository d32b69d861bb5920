/**
 * `node out/test/runner/suite-cli.js DIRECTORY... [--except DIRECTORY] [--result FILE] [--grep TEXT] [--timeout MS]
 * [--bail]`: one suite in plain Node. BERTH_TEST_NICE: how far behind others, as `nice` has it.
 * A process that doesn't end by itself after its tests has leaked something: that counts as a failed test.
 */
import { getPriority, setPriority } from 'node:os';
import { parseArgs } from 'node:util';
import { meetConditions } from '../support/conditions';
import { endDeadMachines } from '../support/dead-machines';
import { summarize, writeResult, type TestResult } from './result';
import { runSuite } from './suite';

const LEAK_GRACE_MS = 5000;

async function main(): Promise<void> {
  process.setSourceMapsEnabled(true);
  meetConditions();
  setPriority(Math.min(19, getPriority() + Number(process.env.BERTH_TEST_NICE ?? 0)));
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      ...{ result: { type: 'string' }, grep: { type: 'string' }, timeout: { type: 'string' } },
      ...{ bail: { type: 'boolean' }, except: { type: 'string' } },
    },
  });
  if (positionals.length === 0) throw new Error('name the directory of the tests');
  await noteEnded('before');
  const result = await runSuite({
    directories: positionals,
    ...(values.except ? { except: values.except } : {}),
    ...(values.result ? { resultFile: values.result } : {}),
    ...(values.bail ? { bail: true } : {}),
    ...(values.grep ? { grep: values.grep } : {}),
    ...(values.timeout ? { timeout: Number(values.timeout) } : {}),
  });
  await noteEnded('after');
  process.exitCode = result.failed > 0 ? 1 : 0;
  setTimeout(() => void reportLeak(result, values.result), LEAK_GRACE_MS).unref();
}

async function noteEnded(when: string): Promise<void> {
  const ended = await endDeadMachines();
  if (ended.length > 0)
    console.log(`  ended ${when} the tests, as their folders are gone: QEMU ${ended.join(', ')}`);
}

async function reportLeak(result: TestResult, resultFile: string | undefined): Promise<void> {
  const title = `the process ends within ${LEAK_GRACE_MS / 1000} s after its tests`;
  const error = `still open: ${process.getActiveResourcesInfo().join(', ')}`;
  console.error(`\n  FAILED: ${title}\n  ${error}`);
  const tests = [...result.tests, { title, state: 'failed' as const, duration: LEAK_GRACE_MS, error }];
  if (resultFile) await writeResult(resultFile, summarize(tests));
  process.exit(1);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
