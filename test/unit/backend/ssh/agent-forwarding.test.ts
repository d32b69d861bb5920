import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Server, utils, type Connection, type Session } from 'ssh2';
import { lendAgent, type AgentLoan } from '../../../../src/backend/ssh/agent-forwarding';
import { failure } from '../../../support/errors';

/** The sshd of a workspace, where whoever is root may have put one that does as it likes. */
describe('ssh/agent-forwarding', () => {
  const host = utils.generateKeyPairSync('ed25519');
  const engine = utils.generateKeyPairSync('ed25519');
  let server: Server;
  let port: number;
  let onSession: (session: Session) => void;
  let open: Connection[];

  beforeEach(async () => {
    open = [];
    server = new Server({ hostKeys: [host.private] }, (client) => {
      open.push(client);
      client.on('error', () => undefined);
      client.on('close', () => (open = open.filter((each) => each !== client)));
      client.on('authentication', (attempt) => attempt.accept());
      client.on('session', (accept) => onSession(accept()));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  });
  afterEach(() => {
    open.forEach((client) => client.end());
    server.close();
  });

  const lend = (more: Partial<AgentLoan> = {}) =>
    lendAgent({
      ...{ port, hostKey: host.public, privateKey: engine.private, agentSocket: '/nowhere' },
      ...{ signal: new AbortController().signal },
      ...more,
    });
  const ended = async (): Promise<void> => {
    while (open.length > 0) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };

  it('is told where the socket is, and ends with its connection', async () => {
    onSession = (session) => {
      session.on('auth-agent', (accept) => accept());
      session.on('exec', (accept) => accept().write('Welcome!\nberth-agent=/tmp/ssh-x/agent.1\n'));
    };
    const { socket, release } = await lend();
    assert.equal(socket, '/tmp/ssh-x/agent.1');
    await release();
    await ended();
  });

  for (const [what, answers] of [
    ['no request for the agent', (session: Session) => void session.on('auth-agent', () => undefined)],
    [
      'no command',
      (session: Session) => void session.on('auth-agent', (accept) => accept()).on('exec', () => undefined),
    ],
    [
      'nothing where the socket is',
      (session: Session) =>
        void session.on('auth-agent', (accept) => accept()).on('exec', (accept) => void accept()),
    ],
  ] as const) {
    it(`does not wait for an sshd that answers ${what}, and leaves no connection`, async () => {
      onSession = answers;
      const { message } = await failure(lend({ answerTimeoutMs: 300 }), 'runtime_unavailable');
      assert.match(message, /waited 0\.3 s for (?:a session|its socket)/);
      await ended();
    });
  }

  it('ends at once when it is cancelled, and takes no other host for the workspace', async () => {
    const cancel = new AbortController();
    onSession = () => cancel.abort();
    await failure(lend({ signal: cancel.signal }), 'runtime_unavailable');
    const { public: hostKey } = utils.generateKeyPairSync('ed25519');
    await failure(lend({ hostKey }), 'runtime_unavailable');
    await ended();
  });
});
