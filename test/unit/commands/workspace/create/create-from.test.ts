import assert from 'node:assert/strict';
import { standIn } from '../../../../support/vscode/stand-in';
import { BerthError } from '../../../../../src/api';
import { createFrom } from '../../../../../src/commands/workspace/create/create-from';
import type { WorkspaceDraft } from '../../../../../src/commands/workspace/create/draft';
import type { Services } from '../../../../../src/commands/command';
import { Runner } from '../../../../../src/ui/runner';
import { until } from '../../../../support/wait';
import { useUnlinked } from '../../../../support/vscode/unlinked';

const draft: WorkspaceDraft = {
  ...{ name: 'api', runtime: 'container', image: 'nothing/there:1' },
  ...{ cloneUrl: '', limits: { cpus: 2 }, docker: false },
};

describe('a create that failed', () => {
  const unlinked = useUnlinked();

  function services(
    ...failures: BerthError[]
  ): Pick<Services, 'runner' | 'store' | 'views'> & { bodies: unknown[] } {
    const { store, log } = unlinked();
    const bodies: unknown[] = [];
    const call = (_: string, { body }: { body: unknown }): Promise<never> => {
      bodies.push(body);
      return Promise.reject(failures.shift() ?? new BerthError('cancelled', 'Enough.'));
    };
    const client = () => Promise.resolve({ call });
    const runner = new Runner({ client } as unknown as ConstructorParameters<typeof Runner>[0], store, log);
    return { runner, store, views: Object.create(null) as Services['views'], bodies };
  }

  it('is tried again with all that was said, and the image can be changed', async () => {
    standIn.pressed = ({ buttons }) => buttons.find((button) => button === 'Try Again');
    const given = services(new BerthError('internal', 'The registry does not answer.'));
    await createFrom(given, draft, () => Promise.resolve());
    await until('the second attempt', () => given.bodies.length === 2);
    assert.deepEqual(given.bodies[1], given.bodies[0]);
    assert.deepEqual(standIn.messages[0]?.buttons, ['Try Again', 'Change Image…', 'Show Berth Log']);
  });

  it('leads to another image', async () => {
    let isAsked = false;
    standIn.pressed = ({ buttons }) => buttons.find((button) => button === 'Change Image…');
    const error = new BerthError('runtime_unavailable', 'It is not there.', {
      hint: 'Create it again.',
      remedy: 'create',
    });
    await createFrom(services(error), draft, () => Promise.resolve(void (isAsked = true)));
    await until('the image is asked for', () => isAsked);
  });
});
