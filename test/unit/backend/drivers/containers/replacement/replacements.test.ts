/** The order of the steps, with an engine in memory; the real ones are in test/engine/drivers/containers. */
import assert from 'node:assert/strict';
import type { Endpoint } from '../../../../../../src/backend/drivers/containers/engine/endpoint';
import type { Helpers } from '../../../../../../src/backend/drivers/containers/engine/helpers';
import { Moves } from '../../../../../../src/backend/drivers/containers/replacement/moves';
import { Ownership } from '../../../../../../src/backend/drivers/containers/engine/ownership';
import { Replacements } from '../../../../../../src/backend/drivers/containers/replacement/replacements';
import type { Runtimes } from '../../../../../../src/backend/drivers/containers/runtime/runtimes';
import type { RuntimePlan } from '../../../../../../src/backend/drivers/driver';

const owner = 'installation';
const aside = `w.before-${owner.slice(0, 8)}`;
const draft = `w.moving-${owner.slice(0, 8)}`;

describe('containers/replacement/replacements', () => {
  /** Name to what tells one container from the others. */
  let containers: Map<string, string>;
  let failing: string | undefined;
  /** Told of a name that was given up. */
  let intruding: ((name: string) => void) | undefined;
  let replacements: Replacements;
  const methods = Object.getOwnPropertyDescriptors(Moves.prototype);

  beforeEach(() => {
    containers = new Map();
    failing = undefined;
    intruding = undefined;
    const missing = Object.assign(new Error('No such container'), { statusCode: 404 });
    const nameOf = (nameOrId: string) =>
      [...containers].find((each) => each.includes(nameOrId))?.[0] ?? nameOrId;
    const getContainer = (nameOrId: string) => ({
      inspect: () => {
        const id = containers.get(nameOf(nameOrId));
        const labels = id === 'stranger' ? {} : new Ownership(owner).labels;
        return id === undefined
          ? Promise.reject(missing)
          : Promise.resolve({
              ...{ Id: id, Image: 'i', Config: { Labels: labels }, Mounts: [] },
              State: { Status: 'exited' },
            });
      },
      rename: ({ name: to }: { name: string }) => {
        const name = nameOf(nameOrId);
        const id = containers.get(name);
        if (id === undefined || name === failing) {
          return Promise.reject(id === undefined ? missing : new Error('no luck'));
        }
        if (containers.has(to)) {
          const message = `The container name "/${to}" is already in use by container "x"`;
          return Promise.reject(Object.assign(new Error(message), { statusCode: 409 }));
        }
        containers.delete(name);
        containers.set(to, id);
        intruding?.(name);
        return Promise.resolve();
      },
    });
    const none = () => Promise.resolve([]);
    const docker = { getContainer, listImages: none, listContainers: none };
    const call = (_what: string, run: (docker: object) => unknown) => run(docker);
    const runtimes = {
      remove: (name: string) => Promise.resolve(containers.delete(nameOf(name))),
      inspect: (name: string) => Promise.resolve({ id: containers.get(name) }),
    };
    replacements = new Replacements(
      { call } as unknown as Endpoint,
      runtimes as unknown as Runtimes,
      new Ownership(owner),
      {} as unknown as Helpers,
      () => Promise.resolve(Buffer.alloc(0)),
      { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
    );
    Moves.prototype.giveUp = () => Promise.resolve(false);
    Moves.prototype.make = () => {
      containers.set(draft, 'moved');
      return Promise.resolve([]);
    };
  });
  afterEach(() => void Object.defineProperties(Moves.prototype, methods));

  const refit = () =>
    replacements.refit({ name: 'w', mounts: [] } as unknown as RuntimePlan, new AbortController().signal);

  it('gives the name to the one with other ports, and keeps the one before it', async () => {
    containers.set('w', 'old');
    assert.equal((await refit()).id, 'moved');
    assert.deepEqual(Object.fromEntries(containers), { w: 'moved', [aside]: 'old' });
  });

  for (const waiting of [undefined, 'first']) {
    it(`has a container of the name when that fails${waiting === undefined ? '' : ', also after an earlier move'}`, async () => {
      containers.set('w', 'old');
      if (waiting !== undefined) {
        containers.set(aside, waiting);
      }
      failing = draft;
      await assert.rejects(refit(), /no luck/);
      assert.equal(containers.get('w'), waiting ?? 'old');
      assert(!containers.has(aside));
      failing = undefined;
      assert.equal((await refit()).id, 'moved');
    });
  }

  it('removes no container of others that takes the name meanwhile, and keeps the one before it', async () => {
    containers.set('w', 'old');
    intruding = () => {
      intruding = undefined;
      containers.set('w', 'stranger');
    };
    await assert.rejects(refit(), { code: 'exists', message: /Another container has the name w/ });
    assert.equal(containers.get('w'), 'stranger');
    assert.equal(containers.get(aside), 'old');
    for (const verb of [refit, () => replacements.setAside('w', false), () => replacements.takeBack('w')]) {
      await assert.rejects(verb(), { code: 'exists' });
      assert.equal(containers.get('w'), 'stranger');
      assert.equal(containers.get(aside), 'old');
    }
    containers.delete('w');
    assert(await replacements.takeBack('w'));
    assert.equal(containers.get('w'), 'old');
  });
});
