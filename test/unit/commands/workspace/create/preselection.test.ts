import assert from 'node:assert/strict';
import { BerthError, type RuntimeKind } from '../../../../../src/api';
import type { Services } from '../../../../../src/commands/command';
import type { CreateServices } from '../../../../../src/commands/workspace/create/create';
import { createWorkspaceQuick } from '../../../../../src/commands/workspace/create/createQuick';
import { preselect } from '../../../../../src/commands/workspace/create/preselection';
import { useUnlinked } from '../../../../support/vscode/unlinked';
import { standIn } from '../../../../support/vscode/stand-in';
import { Runner } from '../../../../../src/ui/runner';

const workspaceImage = 'workspace:latest';

function machine(container: boolean, microvm: boolean, defaultImage = workspaceImage, tags: string[] = []) {
  const driver = (runtime: RuntimeKind, available: boolean) => ({ runtime, available });
  const drivers = [driver('container', container), driver('microvm', microvm)];
  return { info: { drivers, defaultImage }, images: [{ tags }] };
}

function chosen(runtime: RuntimeKind, on: ReturnType<typeof machine>, image = '') {
  const draft = { runtime, image };
  preselect(draft, on);
  return draft;
}

describe('what a new workspace is made of', () => {
  beforeEach(() => standIn.reset());

  it('is what works, where the wanted runtime does not', () => {
    assert.equal(chosen('container', machine(false, true)).runtime, 'microvm');
    assert.equal(chosen('microvm', machine(true, false)).runtime, 'container');
  });

  it('is what is wanted where both work, or none', () => {
    for (const works of [true, false]) {
      assert.deepEqual(chosen('container', machine(works, works)), { runtime: 'container', image: '' });
    }
    assert.deepEqual(chosen('microvm', machine(true, true)), { runtime: 'microvm', image: '' });
  });

  it('is an image of a registry, where no container engine can build the default one', () => {
    for (const wanted of ['container', 'microvm'] as const) {
      assert.deepEqual(chosen(wanted, machine(false, true)), { runtime: 'microvm', image: 'debian:12' });
    }
  });

  it('is the default image where it is there, or from a registry, and what was said already', () => {
    assert.equal(chosen('microvm', machine(false, true, workspaceImage, [workspaceImage])).image, '');
    assert.equal(chosen('microvm', machine(false, true, 'alpine:3')).image, '');
    assert.equal(chosen('microvm', machine(false, true), 'alpine:3').image, 'alpine:3');
  });
});

describe('a workspace with defaults', () => {
  const unlinked = useUnlinked();

  it('is a microVM from a registry on a machine that has QEMU alone', async () => {
    const { store, log } = unlinked();
    const bodies: unknown[] = [];
    const { info, images } = machine(false, true);
    const answers: Record<string, unknown> = { 'engine.info': info, 'images.list': images };
    const call = (route: string, { body }: { body?: unknown }): Promise<unknown> => {
      if (route === 'workspaces.create') {
        bodies.push(body);
        return Promise.reject(new BerthError('cancelled', 'Enough.'));
      }
      return Promise.resolve(answers[route]);
    };
    const link = { client: () => Promise.resolve({ call }) };
    const runner = new Runner(link as unknown as ConstructorParameters<typeof Runner>[0], store, log);
    const views = Object.create(null) as Services['views'];
    const services = { link, runner, store, views } as unknown as CreateServices;
    await createWorkspaceQuick(services)('api');
    assert.deepEqual(bodies, [{ name: 'api', runtime: 'microvm', image: 'debian:12' }]);
  });
});
