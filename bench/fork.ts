/** Forks of a running container, one and ten at once, against creates of the same in the same run. */
import { isQuick, main, median, time, withEngine, type Row, type RunningEngine } from './lib';
import { prefix } from './support/docker';

const image = 'workspace:latest';
const rounds = isQuick ? 1 : 5;
const many = 10;

const source = `${prefix}-source`;

async function create({ client }: RunningEngine, name: string): Promise<void> {
  const query = { wait: 60_000 };
  await client.waitFor(await client.call('workspaces.create', { body: { name, image }, query }));
}

async function remove({ client }: RunningEngine, names: readonly string[]): Promise<void> {
  const query = { wait: 60_000 };
  const begun = await Promise.all(
    names.map((name) => client.call('workspaces.delete', { params: { name }, query })),
  );
  await Promise.all(begun.map((each) => client.waitFor(each)));
}

async function fork({ client }: RunningEngine, names: readonly string[]): Promise<void> {
  const query = { wait: 60_000 };
  const body = { names: [...names] };
  await client.waitFor(await client.call('workspaces.fork', { params: { name: source }, body, query }));
}

function measure(): Promise<Row[]> {
  return withEngine(async (engine) => {
    await create(engine, source);
    const measured = { create: [] as number[], one: [] as number[], many: [] as number[] };
    const names = Array.from({ length: many }, (_, index) => `${source}-${index}`);
    for (let round = 0; round < rounds; round += 1) {
      const [name = ''] = names;
      measured.create.push(await time(() => create(engine, name)));
      await remove(engine, [name]);
      measured.one.push(await time(() => fork(engine, [name])));
      await remove(engine, [name]);
      measured.many.push(await time(() => fork(engine, names)));
      await remove(engine, names);
    }
    await remove(engine, [source]);
    const baseline = { what: 'create', value: median(measured.create) };
    const row = (what: string, values: readonly number[], atMost: number): Row => ({
      ...{ what, value: median(values), unit: 'ms', baseline },
      budget: { atMost, of: 'ratio' },
      note: `median of ${rounds}`,
    });
    return [
      row('container that runs: a fork of it, running', measured.one, 1.2),
      row(`container that runs: ${many} forks of it, running`, measured.many, 3),
    ];
  });
}

main('Fork', measure);
