import assert from 'node:assert/strict';
import type Dockerode from 'dockerode';
import { Claims } from '../../../../../../src/backend/drivers/containers/volumes/claims';
import type { Endpoint } from '../../../../../../src/backend/drivers/containers/engine/endpoint';
import { Ownership } from '../../../../../../src/backend/drivers/containers/engine/ownership';
import type { AdoptedVolume } from '../../../../../../src/backend/store/adopted-volumes';

type Labels = Record<string, string>;
const missing = Object.assign(new Error('no such thing'), { statusCode: 404 });

/** One engine with one volume, which two installations use. */
class FakeEngine {
  /** Labels of the containers that there are, by their names. */
  readonly containers = new Map<string, Labels>();

  constructor(private readonly volume: { name: string; labels: Labels }) {}

  installation(id: string): { claims: Claims; adopted: AdoptedVolume[] } {
    const adopted: AdoptedVolume[] = [];
    const isAdopted = (volume: AdoptedVolume): boolean =>
      adopted.some((known) => JSON.stringify(known) === JSON.stringify(volume));
    return { claims: new Claims(this.endpoint, new Ownership(id, `/${id}`, isAdopted)), adopted };
  }

  private get endpoint(): Endpoint {
    const docker = {
      getVolume: () => ({
        inspect: () => Promise.resolve({ Name: this.volume.name, Labels: this.volume.labels }),
      }),
      getContainer: (name: string) => this.container(name),
      createContainer: ({ name = '', Labels: labels = {} }: Dockerode.ContainerCreateOptions) => {
        assert(!this.containers.has(name), 'its name is taken');
        this.containers.set(name, labels);
        return Promise.resolve(this.container(name));
      },
      listContainers: () =>
        Promise.resolve(
          [...this.containers].map(([name, labels]) => ({ Names: [`/${name}`], Labels: labels })),
        ),
      getImage: () => ({ remove: () => Promise.reject(missing) }),
    };
    return { call: (_: string, run: (each: object) => unknown) => run(docker) } as unknown as Endpoint;
  }

  private container(name: string) {
    return {
      id: name,
      inspect: () => {
        const labels = this.containers.get(name);
        return labels === undefined
          ? Promise.reject(missing)
          : Promise.resolve({ Id: name, Name: `/${name}`, Config: { Labels: labels } });
      },
      remove: () => (this.containers.delete(name) ? Promise.resolve() : Promise.reject(missing)),
    };
  }
}

describe('containers/volumes/claims', () => {
  const owned = { 'berth.installation': 'maker', 'berth.home': '/maker', 'berth.nonce': 'n' };

  it('one that its maker has taken back is not taken again without consent, also where it is listed still', async () => {
    const engine = new FakeEngine({ name: 'data', labels: owned });
    const [maker, other] = [engine.installation('maker'), engine.installation('other')];
    other.adopted.push(await other.claims.claim('data', true));
    assert.deepEqual(other.adopted, [{ name: 'data', installation: 'maker', id: 'n' }]);
    maker.adopted.push(await maker.claims.claim('data', true));
    const ofMaker = engine.containers.get('berth-claim-data');
    assert.equal(ofMaker?.['berth.installation'], 'maker');
    await assert.rejects(other.claims.claim('data', false), { code: 'in_use' });
    assert.deepEqual(engine.containers.get('berth-claim-data'), ofMaker);
    // Nor does it go with what the other one deletes.
    await other.claims.release('data');
    assert.deepEqual(engine.containers.get('berth-claim-data'), ofMaker);
  });

  it('one that was claimed before is given back to whom it was taken from', async () => {
    const engine = new FakeEngine({ name: 'data', labels: {} });
    const [first, second] = [engine.installation('first'), engine.installation('second')];
    await first.claims.claim('data', false);
    await assert.rejects(second.claims.claim('data', false), { code: 'in_use' });
    await second.claims.claim('data', true);
    assert.equal(engine.containers.get('berth-claim-data')?.['berth.installation'], 'second');
    await second.claims.release('data');
    assert.equal(engine.containers.get('berth-claim-data')?.['berth.installation'], 'first');
    assert.deepEqual(await second.claims.ours(), []);
    assert.deepEqual(await first.claims.ours(), [{ volume: 'data', isReturned: true }]);
    await first.claims.release('data');
    assert.deepEqual([...engine.containers], []);
  });
});
