/** Create → SSH of microVMs: cold against bare QEMU, from a template against cold. */
import type { Operation } from '../src/api';
import { isQuick, main, median, type Row, type RunningEngine } from './lib';
import { blueprintOf, withBare, type Blueprint } from './support/bare-qemu';
import { firstLogin } from './support/docker';
import { createMicrovm, deleteMicrovm, nameOf, untilSettled, withMicrovms } from './support/microvms';

const rounds = isQuick ? 1 : 3;

/** From create, in milliseconds. */
interface Start {
  /** The SSH server has said its banner through the port. */
  ready: number;
  /** A command has run over SSH. */
  login: number;
  steps: Operation['steps'];
}

async function timed(create: () => Promise<Operation['steps']>, login: () => Promise<void>): Promise<Start> {
  const begun = performance.now();
  const steps = await create();
  const ready = performance.now() - begun;
  await login();
  return { ready, login: performance.now() - begun, steps };
}

async function byBerth(engine: RunningEngine, name: string): Promise<Start> {
  try {
    return await timed(
      async () => (await createMicrovm(engine, name)).steps,
      async () => {
        const { configFile, alias } = await engine.client.call('workspaces.ssh', { params: { name } });
        await firstLogin(['ssh', '-F', configFile, alias]);
      },
    );
  } finally {
    await deleteMicrovm(engine, name);
  }
}

function byHand(blueprint: Blueprint): Promise<Start> {
  return withBare(blueprint, (bare) =>
    timed(
      async () => {
        await bare.makeDisks();
        await bare.boot();
        return [];
      },
      () => bare.login(),
    ),
  );
}

/** How long each step took, the middle of all rounds. */
function stepsOf(starts: readonly Start[]): string {
  const titles = (starts[0]?.steps ?? []).map(({ name }) => name);
  const middle = (title: string) =>
    median(starts.map(({ steps }) => steps.find(({ name }) => name === title)?.ms ?? 0));
  return titles.map((title) => `${title} ${middle(title).toFixed(0)} ms`).join(', ');
}

interface Measured {
  bare: Start[];
  cold: Start[];
  template: Start[];
  first: Start;
}

function rowsOf({ bare, cold, template, first }: Measured): Row[] {
  const of = (starts: readonly Start[], what: 'ready' | 'login') =>
    median(starts.map((start) => start[what]));
  const row = (
    what: string,
    value: number,
    baseline: { what: string; value: number },
    atMost: number | undefined,
    note: string,
  ): Row => ({
    ...{ what, value, baseline, unit: 'ms' as const, note },
    ...(atMost !== undefined && { budget: { atMost, of: 'ratio' as const } }),
  });
  const note = `median of ${rounds}`;
  return [
    row(
      'create → SSH answers, cold',
      of(cold, 'ready'),
      { what: 'bare QEMU', value: of(bare, 'ready') },
      1,
      `${note}: ${stepsOf(cold)}`,
    ),
    row(
      'create → first SSH command, cold',
      of(cold, 'login'),
      { what: 'bare QEMU', value: of(bare, 'login') },
      1.1,
      note,
    ),
    row(
      'create → SSH answers, from a template',
      of(template, 'ready'),
      { what: 'cold', value: of(cold, 'ready') },
      0.35,
      `${note}: ${stepsOf(template)}`,
    ),
    row(
      'create → first SSH command, from a template',
      of(template, 'login'),
      { what: 'cold', value: of(cold, 'login') },
      0.35,
      note,
    ),
    row(
      'create → SSH answers, the very first, while its template is made beside it',
      first.ready,
      { what: 'cold', value: of(cold, 'ready') },
      undefined,
      `once: ${stepsOf([first])}`,
    ),
  ];
}

async function measureWith(cold: RunningEngine, warm: RunningEngine): Promise<Measured> {
  const plan = nameOf('plan');
  await createMicrovm(cold, plan);
  const blueprint = await blueprintOf(cold, plan);
  await deleteMicrovm(cold, plan);
  await untilSettled(cold.home);
  const measured: Measured = {
    ...{ bare: [], cold: [], template: [] },
    first: await byBerth(warm, nameOf('first')),
  };
  await untilSettled(warm.home);
  for (let round = 0; round < rounds; round += 1) {
    measured.bare.push(await byHand(blueprint));
    measured.cold.push(await byBerth(cold, nameOf(`cold-${round}`)));
    measured.template.push(await byBerth(warm, nameOf(`template-${round}`)));
  }
  return measured;
}

main('MicroVMs: start', () =>
  withMicrovms('none', (cold) => withMicrovms('own', async (warm) => rowsOf(await measureWith(cold, warm)))),
);
