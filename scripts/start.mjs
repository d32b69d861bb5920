/**
 * `npm start`: from a fresh clone to VS Code with Berth and a running workspace. `npm start -- --check` does the same
 * without opening anything, tries SSH and files, and prints how long each step took.
 */
import { parseArgs } from 'node:util';
import { ensureDocker } from './lib/docker.mjs';
import { DEMO, checkFile, checkSsh, ensureDemo, ensureEngine, ensureImages } from './lib/engine.mjs';
import { requireNode } from './lib/node-version.mjs';
import { findEditor, openEditor, startInBrowser } from './lib/open-vscode.mjs';
import { ensureDependencies, ensureBuild } from './lib/repository.mjs';
import { ensurePrograms } from './lib/root.mjs';
import { createSteps } from './lib/steps.mjs';

const HELP = `npm start              set up what is missing, start the workspace "${DEMO}", open VS Code
npm start -- --check   the same, but verify instead of opening; prints a table of times`;

/** @param {ReturnType<typeof createSteps>} steps @returns {Promise<string>} a hash of the build */
async function setUp(steps) {
  await steps.run('Node.js', async () => requireNode());
  await steps.run('OpenSSH', (say) =>
    ensurePrograms('workspaces are reached with it', { ssh: 'openssh-client' }, say),
  );
  await steps.run('npm packages', ensureDependencies);
  const build = await steps.run('build', (say) => ensureBuild(say, 'any'));
  await steps.run('Docker', async (say) => {
    // For the engine, should it be somewhere unusual.
    process.env.DOCKER_HOST = await ensureDocker(say);
    say(`using ${process.env.DOCKER_HOST}`);
  });
  await steps.run('engine', () => ensureEngine(build.isNew));
  await steps.run('images', ensureImages);
  await steps.run(`workspace ${DEMO}`, ensureDemo);
  return build.hash;
}

/** @param {ReturnType<typeof createSteps>} steps */
async function check(steps) {
  await steps.run('SSH login', checkSsh);
  await steps.run('file in through the API, out over SSH', checkFile);
}

/** @param {string} build */
async function open(build) {
  const say = (/** @type {string} */ message) => console.log(message);
  const editor = await findEditor();
  if (editor) {
    await openEditor(editor);
    say(
      `\nOpened ${editor}, with Berth behind the ship at its left. To install Berth in it for good: npm run package, then ${editor} --install-extension berth-*.vsix`,
    );
    return;
  }
  const server = await startInBrowser(build, say);
  say(
    `\nVS Code with Berth, behind the ship at its left: ${server.url}\nIt answers on this machine only, until you press Ctrl-C. Workspaces go on running.`,
  );
  await new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, resolve);
    void server.exited.then(resolve);
  });
  await server.stop();
}

const { values } = parseArgs({
  options: { check: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
});
const steps = createSteps();
try {
  if (values.help) console.log(HELP);
  else {
    const build = await setUp(steps);
    await (values.check ? check(steps) : open(build));
    if (values.check) console.log(`\n${steps.table()}`);
  }
} catch (error) {
  if (values.check) console.log(`\n${steps.table()}`);
  console.error(`\n${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
