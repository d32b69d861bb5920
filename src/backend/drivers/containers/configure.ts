/** Puts keys, environment and files into a running container and waits until its sshd answers. */
import type Dockerode from 'dockerode';
import { BerthError } from '../../../api/errors';
import type { StartPlan } from '../driver';
import { configureArchive } from './configure-archive';
import { configureCommand } from './configure-script';
import type { Endpoint } from './endpoint';
import { runInside } from './exec';
import { fromInspected } from './runtime-info';
import { parseEnvironment } from './session-environment';
import { waitForBanner } from './ssh-banner';

const scriptTimeoutMs = 120_000;
const bannerTimeoutMs = 20_000;

/** On every start, and again whenever something of it changed: sessions that are open stay so. */
export async function configureRuntime(
  endpoint: Endpoint,
  name: string,
  plan: StartPlan,
  signal: AbortSignal,
): Promise<void> {
  const container = await endpoint.call(`look at ${name}`, (docker) => docker.getContainer(name).inspect());
  const port = sshPortOf(container);
  const archive = await configureArchive({ plan, built: parseEnvironment(container.Config.Env) });
  const { exitCode, output } = await runInside(endpoint, name, {
    argv: configureCommand,
    stdin: archive,
    timeoutMs: scriptTimeoutMs,
    signal,
  });
  if (exitCode !== 0) {
    throw scriptError(name, exitCode, output);
  }
  await waitForBanner(port, {
    timeoutMs: bannerTimeoutMs,
    signal,
    explain: () => explain(endpoint, name),
  });
}

function sshPortOf(container: Dockerode.ContainerInspectInfo): number {
  const { state, sshPort, name } = fromInspected(container);
  if (state !== 'running') {
    throw new BerthError('illegal_state', `${name} is ${state}: it can't be configured.`, {
      hint: 'Start the workspace first.',
    });
  }
  if (sshPort === undefined) {
    throw new BerthError('not_supported', `${name} was not made by Berth: it has no SSH port.`, {
      hint: 'Adopt its volume: Berth makes a new container for it.',
    });
  }
  return sshPort;
}

function scriptError(name: string, exitCode: number, output: string): BerthError {
  if (/no space left on device/i.test(output)) {
    return new BerthError('no_space', `${name} could not be set up, because its disk is full: ${output}`, {
      hint: 'Delete files from the home volume, then start it again.',
    });
  }
  if (exitCode === 126 || exitCode === 127) {
    return new BerthError('not_supported', `The image of ${name} can't run Berth's programs: ${output}`, {
      hint: 'Use an image for Linux and for the processor of this machine.',
    });
  }
  return new BerthError('internal', `${name} could not be set up (exit code ${exitCode}): ${output}`, {
    hint: 'If a file is in the way, move it: the volume can be opened while the workspace is stopped.',
  });
}

/** The state and the last words of a container whose sshd does not answer. */
async function explain(endpoint: Endpoint, name: string): Promise<string> {
  try {
    return await endpoint.call(`read the log of ${name}`, async (docker) => {
      const container = docker.getContainer(name);
      const { State: state } = await container.inspect();
      const log = await container.logs({ stdout: true, stderr: true, tail: 5 });
      // Frame headers are not text.
      const text = log
        .toString('utf8')
        .replace(/[^\x20-\x7e\n]+/g, '')
        .trim();
      return `The container is ${state.Status}; its log ends with: ${text}`;
    });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
