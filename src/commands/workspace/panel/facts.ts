/** What the panel of a workspace shows of its record: words, buttons, ports and volumes, ready to be drawn. */
import * as vscode from 'vscode';
import { localTarget } from '../../../api/rules/runtimes';
import { mebibyte } from '../../../api/rules/sizes';
import { formatBytes } from '../../../ui/sizes';
import { homeFolder } from '../../../api/rules/home-volume';
import {
  isInTransition,
  isProtectedFrom,
  isUsable,
  offeredIn,
  plainVerbs,
  wayOutOf,
} from '../../../api/rules/lifecycle';
import type { Volume, Workspace } from '../../../api';
import type { CommandId } from '../../../ui/contributions/commands';
import { engineSentence } from '../../../ui/operations/engine-sentences';
import { verbWords } from '../lifecycle/verb-words';
import { limitsWords, runtimeWords, stateWord, time, usedWords, volumeWord } from '../../../ui/words';

const { t } = vscode.l10n;

export interface PanelButton {
  command: CommandId;
  title: string;
}

export interface PanelVolume {
  name: string;
  /** What people call it, here. */
  title: string;
  /** Where it is mounted, and how. */
  place: string;
  /** How much is in it, in words. */
  used: string;
  /** Of its size, or of the largest volume where it has none, from 0 to 1; absent where nobody knows. */
  share?: number;
}

export interface PanelFacts {
  title: string;
  state: string;
  /** Something is under way. */
  isBusy: boolean;
  /** What went wrong, and what should be known. */
  problems: string[];
  /** The first one is what people came for. */
  buttons: PanelButton[];
  ports: { host: number; words: string }[];
  volumes: PanelVolume[];
  facts: [name: string, value: string][];
}

function buttonsOf(workspace: Workspace): PanelButton[] {
  const { state } = workspace;
  const first = wayOutOf(state);
  const verbs = plainVerbs.filter(
    (verb) => offeredIn(verb).includes(state) && !isProtectedFrom(verb, workspace),
  );
  verbs.sort((a, b) => Number(b === first) - Number(a === first));
  const verbsShown = verbs.map((verb): PanelButton => ({
    command: `berth.workspace.${verb}`,
    title: verbWords[verb].button,
  }));
  const open: PanelButton[] = isUsable('open', state)
    ? [
        { command: 'berth.workspace.open', title: t('Open') },
        { command: 'berth.workspace.openTerminal', title: t('Terminal') },
      ]
    : [];
  const look: PanelButton[] = [
    { command: 'berth.workspace.browseFiles', title: t('Files') },
    ...(isUsable('logs', state) ? [{ command: 'berth.workspace.showLogs', title: t('Log') } as const] : []),
  ];
  const fork: PanelButton[] =
    workspace.forkedFrom === undefined
      ? []
      : [
          { command: 'berth.workspace.compareWithSource', title: t('Compare with Source') },
          ...(isUsable('fork', state)
            ? [{ command: 'berth.workspace.keep', title: t('Keep…') } as const]
            : []),
        ];
  return state === 'running'
    ? [...open, ...verbsShown, ...look, ...fork]
    : [...verbsShown, ...open, ...look, ...fork];
}

function volumeOf(
  { name, title, place }: Pick<PanelVolume, 'name' | 'title' | 'place'>,
  volume: Volume | undefined,
  maxBytes: number,
): PanelVolume {
  const used = volume && usedWords(volume);
  const size = volume?.sizeMiB;
  const ofSize = size === undefined ? undefined : formatBytes(size * mebibyte);
  return {
    name,
    title,
    place,
    used:
      used === undefined
        ? (ofSize ?? t('not measured yet'))
        : ofSize === undefined
          ? used
          : t('{0} of {1}', used, ofSize),
    ...(volume?.usedBytes !== undefined && {
      share: Math.min(1, volume.usedBytes / (size === undefined ? maxBytes : size * mebibyte)),
    }),
  };
}

function volumesOf(
  workspace: Workspace,
  find: (name: string) => Volume | undefined,
  others: readonly Volume[],
): PanelVolume[] {
  const { homeVolume, dockerVolume, spec } = workspace;
  const mounts = [
    { source: homeVolume, place: homeFolder },
    ...(dockerVolume === undefined ? [] : [{ source: dockerVolume, place: '/var/lib/docker' }]),
    ...(spec.mounts ?? []).map(({ source, target, readOnly }) => ({
      source,
      place: readOnly ? t('{0}, read-only', target) : target,
    })),
  ];
  const known = [...others, ...mounts.map(({ source }) => find(source))];
  const maxBytes = Math.max(1, ...known.map((volume) => volume?.usedBytes ?? 0));
  return mounts.map(({ source, place }) =>
    volumeOf({ name: source, title: volumeWord(source, workspace), place }, find(source), maxBytes),
  );
}

function factsOf({ spec, ...workspace }: Workspace): [string, string][] {
  const { target = localTarget, runtime } = spec;
  const all: [string, string | undefined][] = [
    [t('Kind'), runtimeWords(runtime).title],
    [t('Fork of'), workspace.forkedFrom?.workspace],
    [t('Image'), spec.image],
    [t('Machine'), target === localTarget ? undefined : target],
    [t('SSH'), `ssh ${workspace.sshAlias}`],
    [t('Limits'), limitsWords(spec.limits ?? {}, runtime)],
    [t('Tags'), workspace.tags?.join(', ')],
    [t('Protected'), workspace.protected === true ? t('from delete, rebuild and archive') : undefined],
    [t('Created'), time(workspace.createdAt)],
    [t('Last used'), time(workspace.lastUsedAt)],
  ];
  return all.flatMap(([name, value]): [string, string][] =>
    value === undefined || value === '' ? [] : [[name, value]],
  );
}

/** All but what is measured; `find` answers what is known of a volume. Those without a size are measured by the largest, of `others` too. */
export function panelFacts(
  workspace: Workspace,
  find: (name: string) => Volume | undefined,
  others: readonly Volume[] = [],
): PanelFacts {
  const { state, stateDetail, problem, warnings } = workspace;
  const word = stateWord(state);
  return {
    title: workspace.label,
    state: stateDetail === undefined ? word : t('{0} ({1})', word, stateDetail),
    isBusy: isInTransition(state),
    problems: [...(problem === undefined ? [] : [problem]), ...warnings].map(({ message }) =>
      engineSentence(message),
    ),
    buttons: buttonsOf(workspace),
    ports: (workspace.spec.ports ?? []).flatMap(({ host, guest }) =>
      host === undefined ? [] : [{ host, words: t('{0} inside, 127.0.0.1:{1} here', guest, host) }],
    ),
    volumes: volumesOf(workspace, find, others),
    facts: factsOf(workspace),
  };
}
