import assert from 'node:assert/strict';
import { startLine } from '../../../../src/commands/engine/doctor/start-line';

describe('commands/engine/doctor/start-line', () => {
  const line = (platform: NodeJS.Platform, ...files: string[]) =>
    startLine(platform, { home: '/home/ada', has: (path) => files.includes(path) });

  it('takes what this user may start, where there is such a thing', () => {
    const own = '/home/ada/.config/systemd/user/docker.service';
    assert.deepEqual(line('linux', own), { text: 'systemctl --user start docker', needsRoot: false });
    assert.deepEqual(line('linux', own, '/usr/lib/systemd/user/docker-desktop.service'), {
      text: 'systemctl --user start docker-desktop',
      needsRoot: false,
    });
    assert.deepEqual(line('darwin'), { text: 'open -a Docker', needsRoot: false });
    assert.deepEqual(line('win32'), { text: 'docker desktop start', needsRoot: false });
  });

  it('starts Podman only where there is no Docker', () => {
    const podman = '/usr/lib/systemd/user/podman.socket';
    assert.equal(line('linux', podman).text, 'systemctl --user start podman.socket');
    assert.deepEqual(line('linux', podman, '/usr/bin/dockerd'), {
      text: 'sudo systemctl start docker',
      needsRoot: true,
    });
  });

  it('asks for the rights of root where nothing else is there', () => {
    assert.deepEqual(line('linux'), { text: 'sudo systemctl start docker', needsRoot: true });
  });
});
