/** Puts keys, environment and files into a running container and waits until its sshd answers. */
import type { Readable } from 'node:stream';
import type Dockerode from 'dockerode';
import { BerthError } from '../../../../api/errors';
import type { RuntimeInfo, StartPlan } from '../../driver';
import { configureArchive } from '../../../inside/configure-archive';
import { configureCommand, notWrittenOf } from '../../../inside/configure-script';
import { demultiplex } from '../engine/demux';
import { ifMissing } from '../engine/docker-errors';
import type { Endpoint } from '../engine/endpoint';
import { runInside } from './exec';
import { configuredMark, toolsDirectory } from '../../../inside/init-script';
import { isAnonymous, label, planVersion } from '../engine/labels';
import { labelsOf } from '../engine/labelled-volumes';
import { readLogs } from './logs';
import { fromInspected } from './runtime-info';
import { dockerDirectory, homeFolder } from '../../../inside/places';
import { parseEnvironment } from '../../../inside/session-environment';
import { waitForBanner } from '../../../inside/ssh-banner';
import { linesOf, toDuplex } from '../engine/streams';
import { throwIfCancelled } from '../../../machine/wait';

const ownMounts: readonly string[] = [toolsDirectory, homeFolder, dockerDirectory];
const scriptTimeoutMs = 120_000;
const bannerTimeoutMs = 20_000;
const logTimeoutMs = 10_000;

interface Outcome {
  exitCode: number;
  output: string;
}

/**
 * On every start, and again whenever something of it changed: sessions that are open stay so. `startedAt` is the start
 * that nothing was configured since: then standard input takes everything, which is quicker than an exec. Answers what
 * could not be written. Throws `illegal_state` for one that ended, `no_space`, and `not_supported` where the image
 * can't run our programs.
 */
export async function configureRuntime(
  endpoint: Endpoint,
  name: string,
  plan: StartPlan,
  options: {
    startedAt: string | undefined;
    /** Makes the port lead into the container, where the engine can't. */
    reach: (info: RuntimeInfo) => Promise<void>;
    signal: AbortSignal;
  },
): Promise<readonly string[]> {
  const { signal } = options;
  const { container, isPodman } = await endpoint.call(`look at ${name}`, async (docker, connection) => ({
    container: await docker.getContainer(name).inspect(),
    isPodman: connection.isPodman,
  }));
  const info = fromInspected(container);
  if (info.state === 'stopped') {
    throw await endedAtOnce(endpoint, name);
  }
  const port = sshPortOf(info);
  const archive = await configureArchive({
    plan,
    built: parseEnvironment(container.Config.Env),
    mounts: namedMounts(container),
    isNewHome: await hasNewHome(endpoint, container),
  });
  // Podman 4.3 feeds the client library's own words to standard input as well.
  const byInput =
    !isPodman &&
    options.startedAt !== undefined &&
    options.startedAt === info.startedAt &&
    isCurrent(container);
  const { exitCode, output } = byInput
    ? await feedInit(endpoint, name, archive, signal)
    : await runInside(endpoint, name, {
        argv: configureCommand,
        stdin: archive,
        timeoutMs: scriptTimeoutMs,
        signal,
      });
  if (exitCode !== 0) {
    throw scriptError(name, exitCode, output);
  }
  await options.reach(info);
  await waitForBanner(port, {
    timeoutMs: bannerTimeoutMs,
    signal,
    explain: () => lastWords(endpoint, name),
  });
  return notWrittenOf(output.split('\n'));
}

/** An older engine's container has an older script in its init. */
function isCurrent({ Config: config }: Dockerode.ContainerInspectInfo): boolean {
  return config.Labels[label.plan] === planVersion && config.StdinOnce;
}

/** The home was made with this very container. */
async function hasNewHome(
  endpoint: Endpoint,
  { Name: name, Mounts: mounts, Config: { Labels: labels } }: Dockerode.ContainerInspectInfo,
): Promise<boolean> {
  const { Name: volume = '' } = mounts.find(({ Destination: path }) => path === homeFolder) ?? {};
  const home = await endpoint.call(`look at the home of ${name.slice(1)}`, (docker) =>
    docker.getVolume(volume).inspect().catch(ifMissing),
  );
  const made: string | undefined = home === undefined ? undefined : labelsOf(home)[label.nonce];
  return made !== undefined && made === labels[label.nonce];
}

/** Paths of volumes that the user named: not of those of Berth, nor of those that an image declares. */
function namedMounts({ Mounts: mounts }: Dockerode.ContainerInspectInfo): string[] {
  return mounts
    .filter(({ Type: type, RW: isWritable }) => type === 'volume' && isWritable)
    .filter(({ Name: name = '' }) => !isAnonymous(name))
    .map(({ Destination: path }) => path)
    .filter((path) => !ownMounts.includes(path));
}

/** Writes the archive to the init and reads what it says until it tells the outcome. */
async function feedInit(
  endpoint: Endpoint,
  name: string,
  archive: Buffer,
  signal: AbortSignal,
): Promise<Outcome> {
  const stream = await endpoint.call(`configure ${name}`, async (docker) => {
    const request = { stream: true, stdin: true, stdout: true, stderr: true, hijack: true };
    return toDuplex(await docker.getContainer(name).attach(request));
  });
  const ended = AbortSignal.any([signal, AbortSignal.timeout(scriptTimeoutMs)]);
  const close = (): void => void stream.destroy();
  ended.addEventListener('abort', close, { once: true });
  try {
    const { stdout, stderr } = demultiplex(stream);
    stderr.on('error', () => undefined).resume();
    stream.end(archive);
    return await readOutcome(stdout);
  } catch (error) {
    throwIfCancelled(signal, `configure ${name}`);
    throw new BerthError(
      'internal',
      `${name} did not take its configuration. ${await lastWords(endpoint, name)}`,
      {
        hint: 'Try again; if that does not help, build the tools anew: `berth image build`.',
        cause: error,
      },
    );
  } finally {
    ended.removeEventListener('abort', close);
    stream.destroy();
  }
}

async function readOutcome(stdout: Readable): Promise<Outcome> {
  let output = '';
  for await (const chunk of stdout) {
    output += (chunk as Buffer).toString('utf8');
    const mark = output.indexOf(configuredMark);
    const code = mark < 0 ? '' : output.slice(mark + configuredMark.length);
    if (code !== '') {
      return { exitCode: Number.parseInt(code, 10), output: output.slice(0, mark).trim() };
    }
  }
  throw new Error('the container ended');
}

/** Nobody stopped it: what it said tells why it ended. */
async function endedAtOnce(endpoint: Endpoint, name: string): Promise<BerthError> {
  const said = await lastWords(endpoint, name);
  return new BerthError('illegal_state', `${name} ended before it could be configured. ${said}`, {
    hint: 'Try again; if that does not help, build the tools anew: `berth image build`.',
  });
}

function sshPortOf({ state, sshPort, name }: RuntimeInfo): number {
  if (state !== 'running') {
    throw new BerthError('illegal_state', `${name} is ${state}: it can't be configured.`, {
      remedy: 'start',
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
      hint: 'Delete files from the home volume, then try again.',
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
export async function lastWords(endpoint: Endpoint, name: string): Promise<string> {
  try {
    const state = await endpoint.call(`look at ${name}`, async (docker) => {
      const { State } = await docker.getContainer(name).inspect();
      return State.Status;
    });
    const signal = AbortSignal.timeout(logTimeoutMs);
    const log = await readLogs(endpoint, name, { tail: 5, follow: false, timestamps: false, signal });
    const lines: string[] = [];
    for await (const line of linesOf(log)) {
      lines.push(line);
    }
    return `The container is ${state}; its log ends with: ${visible(lines.join('\n').trim())}`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Whoever wrote it must not change a terminal that shows it. */
function visible(text: string): string {
  return text.replace(
    /[^\P{Cc}\n]/gu,
    (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
