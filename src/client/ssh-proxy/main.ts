/** The program of `ProxyCommand`, a bundle of its own beside the engine's: NAME PORT STATE. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stateNamed } from '../../api/rules/lifecycle';
import { berthVersion } from '../../api/version';
import { socketPath, stateDirectory } from '../endpoint';
import { EngineClient } from '../engine-client';
import { connect, probe } from '../launch';
import { lineOf, reach } from './proxy';

/** In `dist` it is beside this file; in tests it is where its source is. */
function enginePath(): string {
  const bundled = join(__dirname, 'engine.js');
  return existsSync(bundled) ? bundled : join(__dirname, '../../backend/main.js');
}

async function isRunning(): Promise<boolean> {
  const client = new EngineClient(socketPath(stateDirectory()));
  try {
    return (await probe(client)) !== undefined;
  } finally {
    client.dispose();
  }
}

async function main([name = '', port = '', state = '']: readonly string[]): Promise<void> {
  const engine = {
    isRunning,
    connect: () => connect({ version: berthVersion, enginePath: enginePath() }),
  };
  try {
    const { socket: server, greeting } = await reach(
      { name, port: Number(port), state: stateNamed(state) },
      engine,
    );
    process.stdin.on('error', () => server.destroy());
    process.stdout.on('error', () => server.destroy());
    server.on('error', () => process.exit(1));
    server.on('close', () => process.exit(0));
    process.stdout.write(greeting);
    process.stdin.pipe(server);
    server.pipe(process.stdout);
  } catch (error) {
    process.stderr.write(lineOf(error), () => process.exit(1));
  }
}

void main(process.argv.slice(2));
