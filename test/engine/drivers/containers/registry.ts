/** A real image registry on loopback, behind a link that can be made slow. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transform, type TransformCallback } from 'node:stream';
import { eventually, freePort } from './support';

export class Registry {
  /** Bytes that came through the slow link. */
  carried = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly folder: string,
    private readonly child: ChildProcess,
    private readonly link: Server,
    /** `127.0.0.1:port`, at full speed. */
    readonly direct: string,
    /** `127.0.0.1:port`, throttled. */
    readonly slow: string,
  ) {}

  /** `users`: a line of htpasswd (bcrypt) each; without it, everybody may pull. */
  static async open(bytesPerSecond: number, users?: string): Promise<Registry> {
    const folder = await mkdtemp(join(tmpdir(), 'berth-registry-'));
    const [port, slowPort] = [await freePort(), await freePort()];
    const config = join(folder, 'config.yml');
    const usersFile = join(folder, 'users');
    await writeFile(usersFile, users ?? '');
    const auth = users === undefined ? '' : `auth: {htpasswd: {realm: test, path: ${usersFile}}}\n`;
    await writeFile(
      config,
      `version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: ${folder}/data}}\nhttp: {addr: '127.0.0.1:${port}'}\n${auth}`,
    );
    const child = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
    const link = createServer();
    const registry = new Registry(folder, child, link, `127.0.0.1:${port}`, `127.0.0.1:${slowPort}`);
    link.on('connection', (client) => registry.carry(client, port, bytesPerSecond));
    await new Promise<void>((listening) => link.listen(slowPort, '127.0.0.1', listening));
    await eventually('the registry', async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/v2/`).catch(() => undefined);
      return answer?.status === (users === undefined ? 200 : 401);
    });
    return registry;
  }

  async close(): Promise<void> {
    this.sockets.forEach((socket) => socket.destroy());
    await new Promise((closed) => this.link.close(closed));
    this.child.kill('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }

  private carry(client: Socket, port: number, bytesPerSecond: number): void {
    const server = connect(port, '127.0.0.1');
    for (const socket of [client, server]) {
      this.sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => this.sockets.delete(socket));
    }
    // What is still in the throttle goes on to the client after the server has ended.
    client.on('close', () => server.destroy());
    const count = (bytes: number): number => (this.carried += bytes);
    const throttle = new Transform({
      highWaterMark: 16 * 1024,
      transform(chunk: Buffer, _encoding, done: TransformCallback) {
        count(chunk.length);
        setTimeout(() => done(null, chunk), (chunk.length / bytesPerSecond) * 1000);
      },
    });
    client.pipe(server);
    server
      .pipe(throttle)
      .on('error', () => undefined)
      .pipe(client);
  }
}
