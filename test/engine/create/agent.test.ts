/** A clone with an SSH agent of this machine: a real agent, real servers, real git, and nothing of it inside afterwards. */
import assert from 'node:assert/strict';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { itLeavesNothing, useEngineHarness } from '../../support/engine/engine-harness';
import { bridgeAddress } from '../../support/programs/git-server';
import { succeed } from '../../support/programs';
import { describeMostlyOfEngine, itOfContainers, testTimeoutMs } from '../../support/runtimes/columns';

describeMostlyOfEngine('create: with an SSH agent', function () {
  this.timeout(testTimeoutMs);
  const harness = useEngineHarness();
  let server: Server;
  const sockets = new Set<Socket>();
  let agent = '';
  let agentPid = '';
  let port = 0;

  before(async () => {
    // The git server is a workspace: its sshd takes the installation's key.
    const { folder, docker } = harness();
    const { name, sshPort } = await harness().create();
    await harness().sh(
      name,
      'git init -q -b main work && cd work && echo "# Private" >README.md && git add . && ' +
        'git -c user.name=T -c user.email=t@example.org commit -q -m Begin && git clone -q --bare . ~/private.git',
    );
    // Reached by other workspaces as any server of the network.
    server = createServer((socket) => {
      const onward = connect(sshPort, '127.0.0.1');
      sockets.add(socket);
      [socket, onward].forEach((end) => end.on('error', () => undefined));
      socket.pipe(onward).pipe(socket);
    });
    const address = await bridgeAddress(docker);
    await new Promise<void>((listening) => server.listen(0, address, listening));
    port = (server.address() as AddressInfo).port;
    agent = join(folder, 'agent.sock');
    const said = await succeed('ssh-agent', ['-a', agent]);
    agentPid = /SSH_AGENT_PID=(\d+)/.exec(said)?.[1] ?? '';
    await succeed('ssh-add', ['-q', join(harness().home, 'keys', 'id_ed25519')], {
      env: { SSH_AUTH_SOCK: agent },
    });
  });
  after(() => {
    sockets.forEach((socket) => socket.destroy());
    server.close();
    if (agentPid !== '') {
      process.kill(Number(agentPid));
    }
  });

  const cloneUrl = async () =>
    `ssh://workspace@${await bridgeAddress(harness().docker)}:${port}/home/workspace/private.git`;

  itOfContainers('the engine alone', 'has no key without it, and says how to clone', async () => {
    const { name, warnings } = await harness().create({ cloneUrl: await cloneUrl() });
    assert.match(warnings[0]?.message ?? '', /Permission denied \(publickey/);
    assert.match(warnings[0]?.hint ?? '', /ssh -A berth-.*--forward-agent/);
    await harness().delete(name);
  });

  it('clones with its keys, and leaves neither a socket nor a word of it', async () => {
    const { name, warnings, spec } = await harness().create({
      cloneUrl: await cloneUrl(),
      agentSocket: agent,
    });
    assert.deepEqual(warnings, []);
    assert.equal(await harness().sh(name, 'cat ~/repo/README.md'), '# Private');
    const left =
      'find / -xdev -name "agent.*" -type s 2>/dev/null; ls -d /tmp/ssh-* 2>/dev/null; env | grep SSH_AUTH; true';
    assert.equal(await harness().exec(name, ['sh', '-c', left], { user: 'root' }), '');
    assert.equal(await harness().ssh(name, ['printenv', 'SSH_AUTH_SOCK', '||', 'echo', 'none']), 'none');
    assert(!JSON.stringify(spec).includes(agent));
    await harness().delete(name);
  });

  itLeavesNothing(harness);
});
