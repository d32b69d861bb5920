/**
 * `-v SRC:DST[:ro|rw]`, parsed from the right (the rules and texts are microagent's):
 * a bare name is a named volume, `.ext4`/`.img` a raw disk, `.tar`/`.tar.gz`/`.tgz` a bundle.
 */
import { posix, win32 } from 'node:path';
import { BerthError } from '../../../../api/errors';
import { shortened, targetProblem } from '../../../inside/target';
import { dockerVolumePattern, isName, namePattern } from '../../../../api/rules/names';
import { homeAlias, homeFolder } from '../../../../api/rules/home-volume';
import { hasParent } from '../../../../api/rules/volume-path';
import type { Mount, RuntimeKind } from '../../../../api/workspaces/schemas';

const syntax = 'volume must be SRC:DST[:ro|rw]';
const diskEnding = /\.(ext4|img)$/i;
const bundleEnding = /\.(tar|tar\.gz|tgz)$/i;
const reserved = ['/', '/home', homeFolder, homeAlias, '/run'];
const reservedTrees = ['/.berth', '/proc', '/sys', '/dev', '/run/berth'];

function refuse(field: string, message: string, hint?: string): never {
  throw new BerthError('bad_request', message, { field, ...(hint !== undefined && { hint }) });
}

/** Splits from the right, so that Windows paths keep their drive's colon. */
function split(text: string, field: string): { source: string; target: string; mode: string } {
  const parts = text.split(':');
  let mode = 'rw';
  const last = parts.at(-1) ?? '';
  if (parts.length > 2 && !last.startsWith('/')) {
    mode = last;
    parts.pop();
  }
  if (parts.length < 2) {
    refuse(field, syntax);
  }
  const target = parts.pop() ?? '';
  return { source: parts.join(':'), target, mode };
}

function classify(source: string, field: string): Mount['kind'] {
  if (bundleEnding.test(source)) {
    return 'archive';
  }
  if (diskEnding.test(source)) {
    return 'disk';
  }
  if (!/[/\\]/.test(source) && !source.startsWith('.')) {
    if (isName(source) || /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(source)) {
      return 'volume';
    }
    refuse(
      field,
      `invalid volume name "${source}": use lowercase letters, digits, and hyphens (1-63 chars, not starting or ending with a hyphen)`,
    );
  }
  return refuse(
    field,
    `unsupported volume source "${source}": Berth does not mount host directories`,
    'Give a tar archive of it or an ext4 disk image, or copy files with `berth cp`. A folder for several workspaces: `berth volume create NAME --kind directory`.',
  );
}

/** What names of volumes each kind of runtime takes; containers also have those that other tools made. */
const volumeNames: Readonly<Record<RuntimeKind, { form: RegExp; words: string }>> = {
  container: {
    form: new RegExp(dockerVolumePattern),
    words:
      'Docker takes letters, digits, underscores, dots and hyphens, 2 to 255, the first a letter or digit',
  },
  microvm: {
    form: new RegExp(namePattern),
    words: 'use lowercase letters, digits, and hyphens (1-63 chars, not starting or ending with a hyphen)',
  },
};

/** Before anything is made: what the runtime would refuse later, with the field that it is in. */
export function checkVolumeName(name: string, runtime: RuntimeKind, field: string): void {
  const { form, words } = volumeNames[runtime];
  if (!form.test(name)) {
    refuse(field, `invalid volume name "${name}": ${words}`);
  }
}

/** One `-v` argument. `field` is named in errors. */
export function parseMount(text: string, field = 'volumes'): Mount {
  const { source, target, mode } = split(text, field);
  if (source === '') {
    refuse(field, 'volume source path is required');
  }
  if (mode !== 'ro' && mode !== 'rw') {
    refuse(field, 'volume mode must be ro or rw');
  }
  if (!target.startsWith('/') || hasParent(target)) {
    refuse(field, 'volume destination must be an absolute guest path');
  }
  const problem = targetProblem(target);
  if (problem !== undefined) {
    refuse(field, `volume destination ${shortened(target)} ${problem}`);
  }
  const clean = posix.join(target.replace(/\/+$/, ''), '/').slice(0, -1) || '/';
  if (reserved.includes(clean) || reservedTrees.some((tree) => `${clean}/`.startsWith(`${tree}/`))) {
    refuse(field, `volume destination ${clean} is taken by Berth`, 'Choose another folder, such as /data.');
  }
  const kind = classify(source, field);
  // The folder that the engine happens to run in is nobody's.
  if (kind !== 'volume' && !posix.isAbsolute(source) && !win32.isAbsolute(source)) {
    refuse(field, `volume source "${source}" must be an absolute path`, 'Give the whole path of the file.');
  }
  return { kind, source, target: clean, readOnly: mode === 'ro' };
}

/** All of them, for that kind of runtime; two at the same place are refused. */
export function parseMounts(texts: readonly string[], runtime: RuntimeKind, field = 'volumes'): Mount[] {
  const mounts = texts.map((text, index) => parseMount(text, `${field}.${index}`));
  const seen = new Set<string>();
  for (const [index, mount] of mounts.entries()) {
    if (mount.kind === 'volume') {
      checkVolumeName(mount.source, runtime, `${field}.${index}`);
    }
    if (seen.has(mount.target)) {
      refuse(`${field}.${index}`, `two volumes are to be mounted at ${mount.target}`);
    }
    seen.add(mount.target);
  }
  return mounts;
}
