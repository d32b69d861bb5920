/** A registry that wants a password, and a base image that comes from a registry. */
import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { archiveOf } from '../../../../src/backend/tar/archive';
import { toReadable } from '../../../../src/backend/drivers/containers/engine/streams';
import { Registry } from './registry';
import { Bench, never, text } from './support';

const fast = 1024 ** 3;
const user = 'reader';
const password = 'open sesame';
/** Of that password (bcrypt, cost 4). */
const htpasswd = `${user}:$2b$04$Jky8CvgZX9w2RognL2MzXepHpmjra01aGQ1qkMD.vWBF3ASs0Bz4u\n`;

describe('images of a registry', function () {
  this.timeout(300_000);
  let bench: Bench;
  before(async () => (bench = await Bench.open()));
  after(() => bench.dispose());

  async function push(from: string, to: string, auth = { username: '', password: '' }): Promise<void> {
    const colon = to.lastIndexOf(':');
    await bench.docker.getImage(from).tag({ repo: to.slice(0, colon), tag: to.slice(colon + 1) });
    const pushed = await bench.docker
      .getImage(to)
      .push({ authconfig: { ...auth, serveraddress: to.split('/')[0] ?? '' } });
    assert.doesNotMatch(await text(toReadable(pushed)), /"error"/);
    await bench.docker.getImage(to).remove();
  }

  describe('that wants a password', () => {
    let registry: Registry;
    let image: string;
    before(async () => {
      registry = await Registry.open(fast, htpasswd);
      const tar = await archiveOf([{ name: 'file', mode: 0o644, content: bench.prefix }]);
      const local = await bench.importImage(Readable.from([tar]), ['CMD ["/none"]']);
      image = `${registry.direct}/${bench.prefix}/private:1`;
      await push(local, image, { username: user, password });
    });
    after(() => registry.close());

    /** Pulls as a client with these settings would. */
    async function pull(settings: object, env: Record<string, string> = {}): Promise<void> {
      const folder = join(bench.folder, 'docker-config');
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'config.json'), JSON.stringify(settings));
      const driver = bench.another({ DOCKER_CONFIG: folder, ...env });
      try {
        await driver.images.pull(image, () => undefined, never());
        await bench.docker.getImage(image).remove();
      } finally {
        await driver.close();
      }
    }
    const encoded = (secret: string) => Buffer.from(`${user}:${secret}`).toString('base64');

    it('comes with what `docker login` left', () =>
      pull({ auths: { [registry.direct]: { auth: encoded(password) } } }));

    it('comes with what a credential helper says', async () => {
      const helper = join(bench.folder, 'docker-credential-berthtest');
      const answer = JSON.stringify({ Username: user, Secret: password });
      await writeFile(helper, `#!/bin/sh\n[ "$1" = get ] && cat >/dev/null && echo '${answer}'\n`);
      await chmod(helper, 0o755);
      const path = `${bench.folder}:${process.env.PATH ?? ''}`;
      await pull({ credHelpers: { [registry.direct]: 'berthtest' } }, { PATH: path });
    });

    for (const [what, settings] of [
      ['without one', () => ({})],
      ['with a wrong one', () => ({ auths: { [registry.direct]: { auth: encoded('wrong') } } })],
    ] as const) {
      it(`says so ${what}, and what to do`, async () => {
        const error: unknown = await pull(settings()).then(
          () => assert.fail('it was pulled'),
          (thrown: unknown) => thrown,
        );
        const { code, message, hint } = error as { code: string; message: string; hint?: string };
        assert.equal(code, 'forbidden', message);
        assert.match(hint ?? '', /docker login/, message);
        assert(!`${message}${hint ?? ''}`.includes('wrong'));
      });
    }
  });

  it('are what workspaces are built on, when the user names one', async () => {
    const registry = await Registry.open(fast);
    const base = `${registry.direct}/library/debian:bookworm-slim`;
    try {
      const own = ['debian:bookworm-slim', 'berth-base:bookworm'];
      const known = await Promise.all(own.map((name) => bench.driver.images.resolve(name)));
      await push(own.find((_, index) => known[index] !== undefined) ?? 'berth-base:bookworm', base);
      const steps: string[] = [];
      const lines: string[] = [];
      await bench.another({ BERTH_BASE_IMAGE: base }).images.build(
        { noCache: false, toolsOnly: false },
        async (id, _title, run) => {
          steps.push(id);
          return run();
        },
        (line) => lines.push(line),
        never(),
      );
      assert.deepEqual(steps, ['base', 'tools', 'workspace']);
      assert(lines.includes('Successfully tagged workspace:latest'), lines.slice(-5).join('\n'));
      assert(await bench.driver.images.resolve(base), 'it was pulled');
      await bench.docker.getImage(base).remove();
    } finally {
      await registry.close();
    }
    const missing = bench.another({ BERTH_BASE_IMAGE: base });
    const build = missing.images.build(
      { noCache: false, toolsOnly: true },
      (_id, _title, run) => run(),
      () => undefined,
      never(),
    );
    await assert.rejects(build, { code: 'runtime_unavailable', message: /the registry can not be reached/ });
  });
});
