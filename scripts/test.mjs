/**
 * `npm test [-- SUITE...] [--grep TEXT]`: sets up what is missing, then lint, types and all suites, or those that are
 * named (lint, types, unit, ordinary, runner, engine, microvm, host, ui, package). Suites that share nothing run beside each other:
 * scripts/lib/lanes.mjs; the output of each comes when it has ended, and is in test-results/. The last line is the sum.
 */
import { readFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { parseArgs } from 'node:util';
import { lanesOf, runLanes } from './lib/lanes.mjs';
import { requireNode } from './lib/node-version.mjs';
import { endAll } from './lib/run.mjs';
import { setUp } from './lib/set-up.mjs';
import { createSteps } from './lib/steps.mjs';
import { CHECKS, SUITES, checkOutcome, logOf, notRun, runCheck, runSuite } from './lib/suites.mjs';

const ALL = ['lint', 'types', ...SUITES];
/** Of all suites, on two cores: more makes everybody wait. */
const BUDGET_MINUTES = 45;

const PROGRESS_MS = 120_000;

/** @typedef {import('./lib/suites.mjs').Outcome} Outcome */

/** @param {string[]} suites @param {string | undefined} grep */
async function runAll(suites, grep) {
  const steps = createSteps();
  const ready = setUp(suites, steps);
  const lanes = lanesOf(suites);
  const isHeard = lanes.length === 1;
  /** @type {Map<string, number>} what runs, and since when */
  const running = new Map();
  const progress = setInterval(
    () => !isHeard && running.size > 0 && sayWhatRuns(running),
    PROGRESS_MS,
  ).unref();

  /** @param {string} name @param {() => Promise<Outcome>} work @returns {Promise<Outcome>} */
  async function timed(name, work) {
    const start = performance.now();
    console.log(isHeard ? `\n══ ${name}` : `▸ ${name}`);
    running.set(name, start);
    const outcome = await work().finally(() => running.delete(name));
    const seconds = (performance.now() - start) / 1000;
    // Whole, so that the lines of two suites never mix.
    if (!isHeard) console.log(`\n══ ${name}\n${await readFile(logOf(name), 'utf8').catch(() => '')}`);
    return { ...outcome, seconds };
  }

  async function lint() {
    const outcomes = [];
    for (const [name, program] of Object.entries(CHECKS))
      outcomes.push(await timed(name, () => runCheck(name, program, isHeard)));
    return outcomes;
  }

  /** @param {string} name @returns {Promise<Outcome[]>} */
  async function runOne(name) {
    const complaints = await ready(name);
    if (name === 'lint') return lint();
    if (name === 'types') return [checkOutcome('types', !complaints)];
    const options = { ...(grep ? { grep } : {}), isHeard, env: process.env };
    return [await timed(name, () => runSuite(name, options))];
  }

  const outcomes = (await runLanes(lanes, runOne, (error, name) => [notRun(name, error)])).flat();
  clearInterval(progress);
  const complaints = await ready('types').catch(() => '');
  if (complaints) console.error(complaints);
  if (complaints && !suites.includes('types')) outcomes.push(checkOutcome('types', false));
  console.log(`\nset up beside each other: ${steps.line()}`);
  return outcomes;
}

/** As nothing else is heard of suites beside each other until they end. @param {Map<string, number>} running */
function sayWhatRuns(running) {
  const minutes = (/** @type {number} */ since) => ((performance.now() - since) / 60_000).toFixed(0);
  console.log(`… ${[...running].map(([name, since]) => `${name} for ${minutes(since)} min`).join(', ')}`);
}

/** @param {Outcome[]} outcomes @param {number} minutes @returns {number} how many failed */
function report(outcomes, minutes) {
  const sum = (/** @type {'passed' | 'failed' | 'skipped'} */ key) =>
    outcomes.reduce((total, each) => total + each[key], 0);
  console.log('');
  const order = [...Object.keys(CHECKS), ...ALL];
  for (const outcome of outcomes.toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name)))
    console.log(row(outcome));
  for (const title of outcomes.flatMap(({ failures }) => failures)) console.log(`failed: ${title}`);
  const isOver = minutes > BUDGET_MINUTES;
  console.log(
    `\ntook ${minutes.toFixed(1)} minutes${isOver ? `, more than the ${BUDGET_MINUTES} that npm test may take` : ''}`,
  );
  const [passed, failed, skipped] = [sum('passed'), sum('failed'), sum('skipped')];
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  return failed;
}

/** @param {Outcome} outcome */
function row({ name, passed, failed, skipped, seconds }) {
  const counts = Object.entries({ passed, failed, skipped }).map(
    ([word, count]) => `${String(count).padStart(6)} ${word}`,
  );
  const time = seconds === undefined ? '' : `${seconds.toFixed(0).padStart(6)} s`;
  return `${name.padEnd(9)}${counts.join('')}${time}`;
}

/** A signal ends all suites, also those that the terminal does not reach. */
function endWithSignals() {
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
    process.once(signal, () => {
      const exit = () => process.exit(128 + constants.signals[signal]);
      endAll().then(exit, exit);
    });
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { grep: { type: 'string' } } });
const unknown = positionals.filter((name) => !ALL.includes(name));
try {
  requireNode();
  if (unknown.length > 0)
    throw new Error(`no suite is called ${unknown.join(' or ')}; there are ${ALL.join(', ')}`);
  endWithSignals();
  const start = performance.now();
  const outcomes = await runAll(positionals.length > 0 ? positionals : ALL, values.grep);
  process.exitCode = report(outcomes, (performance.now() - start) / 60_000) > 0 ? 1 : 0;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.log('\n0 passed, 1 failed');
  process.exitCode = 1;
}
