/** Starts Debian's dockerd: by systemd where it runs the machine, else by ourselves. */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { networkInterfaces, userInfo } from 'node:os';
import { join } from 'node:path';
import { ping } from './docker-find.mjs';
import { DAEMON_STATE, ROOT } from './paths.mjs';
import { exists, rootPrefix, runAsRoot } from './root.mjs';
import { run } from './run.mjs';
import { waitFor } from './wait.mjs';

const SOCKET = '/var/run/docker.sock';
export const DEFAULT_HOST = `unix://${SOCKET}`;
const START_TIMEOUT_MS = 30_000;
const CAP_SYS_RESOURCE = 24n;
const WRAPPER = '/usr/local/lib/berth/runc-nosysres';

/** @param {(message: string) => void} say */
export async function startDockerd(say) {
  if (await isSystemd()) await startBySystemd(say);
  else await startDetached(say);
}

async function isSystemd() {
  return (await readFile('/proc/1/comm', 'utf8').catch(() => '')).trim() === 'systemd';
}

/** @param {(message: string) => void} say */
async function startBySystemd(say) {
  say('starting docker.service');
  await runAsRoot(['systemctl', 'start', 'docker.service'], { timeoutMs: 90_000 });
  await letUserIn(say);
  await joinDockerGroup(say);
  await waitFor('the Docker daemon to answer', isUp, {
    timeoutMs: START_TIMEOUT_MS,
    explain: async () =>
      (await runAsRoot(['journalctl', '-u', 'docker', '-n', '20', '--no-pager'], { allowFailure: true }))
        .stdout,
  });
}

/**
 * Makes an ordinary user the owner of the socket, until the daemon's next start.
 * @param {(message: string) => void} say
 */
async function letUserIn(say) {
  const uid = process.getuid?.() ?? 0;
  if (uid === 0) return;
  await waitFor(`${SOCKET} to exist`, () => exists(SOCKET), { timeoutMs: START_TIMEOUT_MS });
  say(`making you the owner of ${SOCKET} (whoever may use Docker can become root on this machine)`);
  await runAsRoot(['chown', String(uid), SOCKET]);
}

/**
 * Lasts longer, but takes effect only at the next login.
 * @param {(message: string) => void} say
 */
async function joinDockerGroup(say) {
  const { uid, username } = userInfo();
  if (uid === 0) return;
  say(`adding ${username} to the group docker, for later logins`);
  await runAsRoot(['usermod', '-aG', 'docker', username]);
}

/** @param {(message: string) => void} say */
async function startDetached(say) {
  const log = join(DAEMON_STATE, 'dockerd.log');
  const argv = ['dockerd', ...(await daemonOptions(say))];
  say(`starting ${argv.join(' ')} (log: ${log})`);
  await runAsRoot(['mkdir', '-p', DAEMON_STATE]);
  await runAsRoot(['touch', log]);
  const prefix = (await rootPrefix()) ?? [];
  // $0 is the log, "$@" the daemon: no text of ours is parsed by the shell. sudo would end it with its terminal.
  const session = prefix.length > 0 ? ['setsid'] : [];
  const script = ['sh', '-c', 'exec "$@" >>"$0" 2>&1 </dev/null', log, ...session, ...argv];
  const [program, ...rest] = [...prefix, ...script];
  const daemon = spawn(program ?? 'sh', rest, { detached: true, stdio: 'ignore', env: daemonEnvironment() });
  let ended = '';
  daemon.on('exit', (code, signal) => {
    // setsid ends at once, and well.
    if (code !== 0) ended = `dockerd ended with ${signal ?? `exit code ${code}`}`;
  });
  daemon.unref();
  await letUserIn(say);
  await waitFor('the Docker daemon to answer', async () => ended || isUp(), {
    timeoutMs: START_TIMEOUT_MS,
    explain: () => tail(log),
  });
  if (ended) throw new Error(`${ended}:\n${await tail(log)}`);
}

const isUp = async () => (await ping(DEFAULT_HOST)) === undefined;

/** The daemon needs a PATH with sbin (iptables, runc), and nothing that npm or an editor put in ours. */
function daemonEnvironment() {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|VSCODE_|ELECTRON_|NODE_OPTIONS)/i.test(name),
  );
  return { ...Object.fromEntries(kept), PATH: `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin` };
}

/** @param {(message: string) => void} say */
async function daemonOptions(say) {
  const options = ['--pidfile', join(DAEMON_STATE, 'dockerd.pid'), '-H', DEFAULT_HOST];
  const mtu = await defaultRouteMtu();
  if (mtu && mtu < 1500) options.push('--mtu', String(mtu));
  if (!(await mayRaiseLimits())) {
    say(`root lacks CAP_SYS_RESOURCE here: installing ${WRAPPER}, so that privileged containers can start`);
    await runAsRoot(['install', '-D', '-m', '755', join(ROOT, 'images/tools/runc-nosysres.sh'), WRAPPER]);
    options.push('--add-runtime', `nosysres=${WRAPPER}`, '--default-runtime', 'nosysres');
  }
  return options;
}

/** Whether root on this machine has CAP_SYS_RESOURCE in its bounding set. */
async function mayRaiseLimits() {
  const status = await readFile('/proc/self/status', 'utf8');
  const bounding = /^CapBnd:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? 'ffffffffffffffff';
  return ((BigInt(`0x${bounding}`) >> CAP_SYS_RESOURCE) & 1n) === 1n;
}

/** @returns {Promise<number | undefined>} bytes; containers must not send larger packets than the way out takes */
async function defaultRouteMtu() {
  const routes = await readFile('/proc/net/route', 'utf8').catch(() => '');
  const name = routes
    .split('\n')
    .map((line) => line.split('\t'))
    .find((fields) => fields[1] === '00000000')?.[0];
  if (!name || !networkInterfaces()[name]) return undefined;
  const mtu = Number(await readFile(`/sys/class/net/${name}/mtu`, 'utf8').catch(() => ''));
  return mtu || undefined;
}

/** @param {string} log */
async function tail(log) {
  const { stdout } = await run('tail', ['-n', '20', log], { allowFailure: true });
  return stdout;
}
