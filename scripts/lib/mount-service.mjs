/**
 * Mounts for tests that are no root's: small disks, which are full soon. Who may reach Docker, as these tests may, could do as
 * much through it; nobody else reaches the socket.
 */
import { once } from 'node:events';
import { chown } from 'node:fs/promises';
import { createServer } from 'node:net';
import { run } from './run.mjs';

/**
 * Serves `mount` at a socket until `close` is called, which unmounts what is left. A client sends the arguments as JSON and ends
 * its side; the answer is the exit code.
 * @param {string} socket a path in a folder that nobody else may enter
 * @param {number} uid whose it is to be
 * @returns {Promise<{close: () => Promise<void>}>}
 */
export async function serveMounts(socket, uid) {
  /** @type {string[]} */
  const targets = [];
  const serve = async (/** @type {string} */ request) => {
    const [program, ...argv] = JSON.parse(request);
    if (program !== 'mount' && program !== 'umount') throw new Error(`not served: ${program}`);
    const { code } = await run(program, argv, { allowFailure: true });
    if (program === 'mount' && code === 0) targets.push(argv.at(-1));
    return code;
  };
  const server = createServer({ allowHalfOpen: true }, (connection) => {
    let request = '';
    connection.on('data', (data) => (request += data.toString()));
    connection.on('end', () => {
      serve(request).then(
        (code) => connection.end(String(code)),
        () => connection.destroy(),
      );
    });
    connection.on('error', () => connection.destroy());
  });
  server.listen(socket);
  await once(server, 'listening');
  await chown(socket, uid, -1);
  return {
    close: async () => {
      server.close();
      for (const target of targets.reverse()) await run('umount', ['-l', target], { allowFailure: true });
    },
  };
}
