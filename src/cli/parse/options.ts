/** Values of options, read strictly: commander turns what is thrown here into a usage error (exit code 2). */
import { isRuntimeKind, runtimeKinds, type RuntimeKind } from '../../api/rules/runtimes';
import { InvalidArgumentError } from 'commander';
import { BerthError, type NetworkMode, type PublishedPort } from '../../api';
import { isTag, isVariableName, sortedTags } from '../../api/rules/names';
import { parsePort } from '../../api/rules/ports';
import { parseMiB } from '../../api/rules/sizes';

/** `512m`, `2g`, `1.5GiB`, or a number of MiB; answers whole MiB. Throws commander's usage error for anything else. */
export function parseSize(text: string): number {
  const mebibytes = parseMiB(text);
  if (mebibytes === undefined) {
    throw new InvalidArgumentError('Give a size like 512m, 2g, or a number of MiB.');
  }
  return mebibytes;
}

/** A number of at least 0; else commander's usage error. */
export function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0) {
    throw new InvalidArgumentError('Give a number.');
  }
  return value;
}

/** A whole number of at least 0; else commander's usage error. */
export function parseWhole(text: string): number {
  const value = parseNumber(text);
  if (!Number.isSafeInteger(value)) {
    throw new InvalidArgumentError('Give a whole number.');
  }
  return value;
}

const millisecondsOf: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function parseTime(text: string, defaultUnit: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([smhd]?)$/i.exec(text.trim());
  return Number(match?.[1]) * (millisecondsOf[(match?.[2] ?? '').toLowerCase() || defaultUnit] ?? Number.NaN);
}

/**
 * `90s`, `5m`, `1h`, or a number of seconds; answers milliseconds, up to a day. Throws commander's usage error for
 * anything else.
 */
export function parseDuration(text: string): number {
  const ms = Math.round(parseTime(text, 's'));
  if (!(ms >= 1 && ms <= 86_400_000)) {
    throw new InvalidArgumentError('Give a time like 90s, 5m or 1h, up to a day.');
  }
  return ms;
}

/** `90m`, `2h`, `1d`, or a number of minutes; answers minutes. Throws commander's usage error for anything else. */
export function parseMinutes(text: string): number {
  const minutes = parseTime(text, 'm') / 60_000;
  if (Number.isNaN(minutes)) {
    throw new InvalidArgumentError('Give a time like 30m, 2h or 1d, or a number of minutes; 0 is never.');
  }
  return minutes;
}

/**
 * `48h`, `30d`, or a number of hours; answers hours. Throws commander's usage error for anything else, and for none.
 */
export function parseHours(text: string): number {
  const hours = parseTime(text, 'h') / 3_600_000;
  if (!(hours > 0)) {
    throw new InvalidArgumentError('Give a time like 48h or 30d, or a number of hours.');
  }
  return hours;
}

/** A kind of runtimes; else commander's usage error. */
export function parseRuntime(text: string): RuntimeKind {
  if (!isRuntimeKind(text)) {
    throw new InvalidArgumentError(`Give ${runtimeKinds.join(' or ')}.`);
  }
  return text;
}

export const networkHelp =
  "on, off (none): no network inside, or host-loopback: this machine's 127.0.0.1 too, as 10.0.2.2 (microVMs)";

/** `none` is Docker's word. Throws commander's usage error for a word that is no mode. */
export function parseNetwork(text: string): NetworkMode {
  if (text === 'none') {
    return 'off';
  }
  if (text !== 'on' && text !== 'off' && text !== 'host-loopback') {
    throw new InvalidArgumentError('Give on, off or host-loopback.');
  }
  return text;
}

/**
 * `8080`, or `18080:8080` with the port of this machine first; after those that were given before. Throws commander's
 * usage error for what is no port.
 */
export function collectPorts(text: string, previous: readonly PublishedPort[] | undefined): PublishedPort[] {
  const port = parsePort(text);
  if (port === undefined) {
    throw new InvalidArgumentError('Give a port inside like 8080, or HOST:INSIDE like 18080:8080.');
  }
  return [...(previous ?? []), port];
}

/** For options that may be given several times. */
export function collect(text: string, previous: readonly string[] | undefined): string[] {
  return [...(previous ?? []), text];
}

/** Tags of a workspace, each once. Throws commander's usage error for what is no tag. */
export function collectTags(text: string, previous: readonly string[] | undefined): string[] {
  if (!isTag(text)) {
    throw new InvalidArgumentError(
      'Give lowercase letters, digits, dots, hyphens and underscores, at most 32 characters.',
    );
  }
  return sortedTags([...(previous ?? []), text]);
}

/**
 * `K=V` into what was given before; a bare `K` takes the value of this process's environment. Throws commander's usage
 * error for what is no name, or has no value here.
 */
export function collectEnv(
  text: string,
  previous: Readonly<Record<string, string>> | undefined,
): Record<string, string> {
  const split = text.indexOf('=');
  const name = split < 0 ? text : text.slice(0, split);
  const value = split < 0 ? process.env[name] : text.slice(split + 1);
  if (!isVariableName(name)) {
    throw new InvalidArgumentError('Give NAME=VALUE; a name has letters, digits and underscores.');
  }
  if (value === undefined) {
    throw new InvalidArgumentError(`${name} is not set here: give ${name}=VALUE.`);
  }
  return { ...previous, [name]: value };
}

/**
 * The name of a secret. A value in an argument could be read by every process of this machine: it is refused, and not
 * repeated (commander would quote the argument of an error thrown while it parses). Throws `bad_request`.
 */
export function secretName(text: string): string {
  if (text.includes('=')) {
    throw new BerthError('bad_request', `--secret ${text.slice(0, text.indexOf('='))} takes no value.`, {
      hint: 'The value is read from the environment variable of that name, or from standard input.',
    });
  }
  if (!isVariableName(text)) {
    throw new BerthError('bad_request', 'The name of a secret has letters, digits and underscores.');
  }
  return text;
}
