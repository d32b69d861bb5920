/** Streams to the Docker of another machine share one connection of ssh, unless the user has arranged that already. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { Endpoint } from '../../../src/backend/drivers/containers/engine/endpoint';
import { toReadable } from '../../../src/backend/drivers/containers/engine/streams';
import { hostEnvironment } from '../../../src/backend/machine/host-environment';
import { silentLog } from '../../support/engine/engine';
import { eventually } from '../../support/engine/engine-harness';
import { useOtherMachine } from '../../support/programs/use-other-machine';
import { describeContainers, testTimeoutMs } from '../../support/runtimes/columns';

describeContainers('a daemon', 'connections of ssh to the Docker of another machine', function () {
  this.timeout(testTimeoutMs);
  const theMachine = useOtherMachine({ isInPath: true });
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'berth-s-'))));
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** Opens so many streams at once, all of which must answer; how many logins they took, and the files left for it. */
  async function loginsOf(streams: number, host: string): Promise<{ logins: number; files: string[] }> {
    const before = await theMachine().logins();
    const environment = hostEnvironment();
    const endpoint = new Endpoint({ dockerHost: () => host, environment, folder, log: silentLog });
    const opened: Readable[] = [];
    try {
      const { docker } = await endpoint.connect();
      const open = async (): Promise<void> => void opened.push(toReadable(await docker.getEvents()));
      await Promise.all(Array.from({ length: streams }, open));
      return { logins: (await theMachine().logins()) - before, files: await readdir(folder) };
    } finally {
      opened.forEach((stream) => stream.on('error', () => undefined).destroy());
      endpoint.close();
    }
  }

  it('is one for several streams, and goes with its socket when the endpoint is closed', async () => {
    const { logins, files } = await loginsOf(6, theMachine().sshHost);
    assert.equal(logins, 1);
    assert.equal(files.length, 1);
    await eventually('the socket is gone', async () => (await readdir(folder)).length === 0);
  });

  it('has others beside it for more streams than an sshd has sessions in one', async () => {
    const { logins } = await loginsOf(12, theMachine().sshHost);
    assert(logins > 1 && logins < 8, String(logins));
  });

  it('is what the user has configured, where that says something', async () => {
    assert.deepEqual((await loginsOf(3, theMachine().sshHostAs('sharing'))).files, []);
  });
});
