/** Runs suites as an ordinary user where it is root who runs them: as `nobody`, who may reach Docker. */
import { access, chown, mkdtemp, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { serveMounts } from './mount-service.mjs';
import { ROOT } from './paths.mjs';
import { run } from './run.mjs';

/** An entry in passwd is what OpenSSH wants. */
const NOBODY = 65_534;
/** Constant text; what follows are arguments. */
const AT_ANOTHER_PATH = 'mount --bind "$1" "$2" && cd "$2" && shift 2 && exec "$@"';

export const isRoot = () => process.getuid?.() === 0;

/**
 * Calls `work` with what makes a program one of an ordinary user: `wrap` for its argv, variables for its environment,
 * and a folder that is that user's, and gone afterwards.
 * @template T
 * @param {(user: {wrap: (argv: string[]) => string[], environment: NodeJS.ProcessEnv, folder: string}) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withOrdinaryUser(work) {
  const folder = await mkdtemp('/tmp/berth-ordinary-');
  try {
    await chown(folder, NOBODY, NOBODY);
    const become = await becomeOrdinary();
    const socket = join(folder, 'mounts.sock');
    const mounts = await serveMounts(socket, NOBODY);
    const see = (await maySee(become)) ? undefined : await mkdtemp('/tmp/berth-tests-');
    const wrap = (/** @type {string[]} */ argv) =>
      see ? [...seenAt(see), ...become, ...moved(argv, see)] : [...become, ...argv];
    const who = { HOME: folder, USER: 'nobody', LOGNAME: 'nobody' };
    const environment = { ...who, BERTH_TEST_MOUNTS: socket, ...(await ownCache(become, folder)) };
    try {
      return await work({ wrap, folder, environment });
    } finally {
      await mounts.close();
      if (see) await rm(see, { recursive: true, force: true });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function becomeOrdinary() {
  const { gid } = await stat('/var/run/docker.sock').catch(() => ({ gid: NOBODY }));
  return ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, `--groups=${gid}`, '--'];
}

/** A checkout in the home of root is out of reach. @param {string[]} become */
async function maySee([program = '', ...become]) {
  const file = join(ROOT, 'package.json');
  await access(file);
  const { code } = await run(program, [...become, 'test', '-r', file], { allowFailure: true });
  return code === 0;
}

/** Guest kits and the like go elsewhere where those of the whole run are out of reach. @param {string[]} become @param {string} folder */
async function ownCache([program = '', ...become], folder) {
  const given = process.env.BERTH_CACHE;
  if (given === undefined) return {};
  const { code } = await run(program, [...become, 'test', '-w', given], { allowFailure: true });
  return code === 0 ? {} : { BERTH_CACHE: join(folder, 'cache') };
}

/** In a view of its own of the file system, which ends with it, and shows what is mounted elsewhere meanwhile. @param {string} path */
const seenAt = (path) => [
  'unshare',
  '--mount',
  '--propagation',
  'slave',
  '--',
  'sh',
  '-c',
  AT_ANOTHER_PATH,
  'sh',
  ROOT,
  path,
];

/** @param {string[]} argv @param {string} path */
const moved = (argv, path) =>
  argv.map((each) => (each.startsWith(ROOT) ? path + each.slice(ROOT.length) : each));
