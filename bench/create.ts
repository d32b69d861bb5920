/** Create → first SSH command, against `docker run` and `ssh` done by hand. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { interleave, isQuick, main, time, withEngine, type Row, type RunningEngine } from './lib';
import { docker, firstLogin, must, prefix } from './support/docker';

const image = 'workspace:latest';
const rounds = isQuick ? 2 : 5;
const firstPort = 24_100;

/** What a person would have ready: keys, a configuration of sshd, and the script that starts it. */
async function prepareKeys(folder: string): Promise<void> {
  const inside = join(folder, 'run-berth');
  mkdirSync(inside, { mode: 0o755 });
  await must(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'id')]);
  await must(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', join(inside, 'host_key')]);
  writeFileSync(join(inside, 'authorized_keys'), readFileSync(join(folder, 'id.pub')), { mode: 0o644 });
  writeFileSync(
    join(inside, 'sshd_config'),
    'Port 22\nHostKey /run/berth/host_key\nPidFile none\nAuthorizedKeysFile /run/berth/authorized_keys\n' +
      'PasswordAuthentication no\nUsePAM no\nUseDNS no\nStrictModes no\nSubsystem sftp internal-sftp\n',
  );
  const script =
    'mkdir -p /run/sshd\n' +
    'grep -q ^sshd: /etc/passwd || echo sshd:x:74:74:sshd:/run/sshd:/sbin/nologin >>/etc/passwd\n' +
    'exec /.berth/bin/sshd -D -e -f /run/berth/sshd_config\n';
  writeFileSync(join(inside, 'start'), script);
  chmodSync(folder, 0o755);
}

/** The newest one that an engine has filled. */
async function findTools(): Promise<string> {
  const { Volumes: volumes } = await docker.listVolumes();
  const madeAt = (volume: object): string => ('CreatedAt' in volume ? String(volume.CreatedAt) : '');
  const [newest] = volumes
    .filter(({ Name }) => Name.startsWith('berth-tools-'))
    .sort((one, other) => madeAt(other).localeCompare(madeAt(one)));
  if (newest === undefined) {
    throw new Error('no engine has made the volume of the tools yet: create a workspace first');
  }
  return newest.Name;
}

async function byHand(folder: string, round: number): Promise<number> {
  const name = `${prefix}-hand-${round}`;
  const port = String(firstPort + round);
  const shell = ['/.berth/bin/tini', '-s', '--', '/.berth/busybox/sh', '/run/berth/start'];
  const ssh = ['ssh', '-q', '-i', join(folder, 'id'), '-p', port, '-o', 'StrictHostKeyChecking=no'];
  const options = ['-o', 'UserKnownHostsFile=/dev/null', '-o', 'IdentitiesOnly=yes', '-F', '/dev/null'];
  const toolsVolume = await findTools();
  const volumes = [
    `${name}:/home/workspace`,
    `${toolsVolume}:/.berth:ro`,
    `${folder}/run-berth:/run/berth:ro`,
  ];
  try {
    return await time(async () => {
      const mounts = volumes.flatMap((volume) => ['-v', volume]);
      const publish = ['-p', `127.0.0.1:${port}:22`];
      await must(['docker', 'run', '-d', '--name', name, ...publish, ...mounts, image, ...shell]);
      await firstLogin([...ssh, ...options, 'workspace@127.0.0.1']);
    });
  } finally {
    await docker.getContainer(name).remove({ force: true });
    await docker.getVolume(name).remove();
  }
}

async function byBerth({ client }: RunningEngine, round: number): Promise<number> {
  const name = `${prefix}-${round}`;
  try {
    return await time(async () => {
      const begun = await client.call('workspaces.create', {
        body: { name, image },
        query: { wait: 60_000 },
      });
      await client.waitFor(begun);
      const target = await client.call('workspaces.ssh', { params: { name } });
      await firstLogin(['ssh', '-F', target.configFile, target.alias]);
    });
  } finally {
    const begun = await client.call('workspaces.delete', { params: { name }, query: { wait: 60_000 } });
    await client.waitFor(begun);
  }
}

function measure(): Promise<Row[]> {
  return withEngine(async (engine) => {
    await prepareKeys(engine.home);
    // The first makes what all later ones share: the volume with the tools.
    await byBerth(engine, 1000);
    await byHand(engine.home, 1000);
    const { subject, baseline } = await interleave(
      rounds,
      (round) => byBerth(engine, round),
      (round) => byHand(engine.home, round),
    );
    return [
      {
        what: 'container: create → first SSH command',
        value: subject,
        unit: 'ms',
        baseline: { what: '`docker run` + `ssh`', value: baseline },
        budget: { atMost: 1.1, of: 'ratio' },
        note: `median of ${rounds}`,
      },
    ];
  });
}

main('Create', measure);
