/** The steps of the wizard behind *More…*: none is passed on the way, each is come to from the list of them. */
import * as vscode from 'vscode';
import type { EngineInfo, IdlePolicy, NetworkMode, RuntimeKind } from '../../../api';
import { showInput, showPick, type PickItem, type StepPlace, type WizardStep } from '../../wizard';
import type { WorkspaceDraft } from './draft';
import { parsePorts, parseVariables, parseVolumes, portsText, variablesText, type MoreChoices } from './more';

const { t } = vscode.l10n;
type Step = WizardStep<WorkspaceDraft>;

const idlePolicies: readonly (IdlePolicy | undefined)[] = [
  undefined,
  { pauseAfter: 30 },
  { pauseAfter: 60 },
  { stopAfter: 120 },
  { pauseAfter: 30, stopAfter: 240 },
];

/** Where a policy is among those to choose from; one that is not there is none of them. */
export function idleChoice(idle: IdlePolicy | undefined): number {
  return idlePolicies.findIndex(
    (each) => each?.pauseAfter === idle?.pauseAfter && each?.stopAfter === idle?.stopAfter,
  );
}

/** What a runtime's network can be; every one can have these two. */
const networksOf = ({ drivers }: Pick<EngineInfo, 'drivers'>, kind: RuntimeKind): readonly NetworkMode[] =>
  drivers.find(({ runtime }) => runtime === kind)?.features?.networks ?? ['on', 'off'];

/** Takes a network back that the runtime can't have, or not with the ports to publish; answers what was taken back. */
export function dropUnfitNetwork(
  draft: WorkspaceDraft,
  info: Pick<EngineInfo, 'drivers'>,
): NetworkMode | undefined {
  const { network, ...others } = draft.more ?? {};
  const isFit = network === undefined || networksOf(info, draft.runtime).includes(network);
  if (isFit && (network !== 'off' || !(draft.more?.ports?.length && needsNetwork(draft, info)))) {
    return undefined;
  }
  draft.more = others;
  return network;
}

/** Whether ports of that runtime are published by its network. */
const needsNetwork = ({ runtime }: WorkspaceDraft, { drivers }: Pick<EngineInfo, 'drivers'>): boolean =>
  drivers.find((each) => each.runtime === runtime)?.features?.portsWithoutNetwork !== true;

const change = (draft: WorkspaceDraft, more: MoreChoices): void => {
  draft.more = { ...draft.more, ...more };
};

/** `first`: the place of the first of them among all steps. */
export function moreSteps(first: number, info: EngineInfo): Step[] {
  const shows: Step['show'][] = [
    (draft, place) => chooseOne(first, draft, place),
    (draft, place) => askPorts(info, draft, place),
    askVariables,
    askVolumes,
    (draft, place) => askNetwork(info, draft, place),
    askIdle,
  ];
  return shows.map((show) => ({ show, isSkipped: () => true }));
}

/** What was chosen behind *More…*, in a few words. */
export function moreWords({ more = {} }: WorkspaceDraft): string {
  const words = [
    more.ports?.length ? t('ports {0}', portsText(more.ports)) : undefined,
    ...Object.keys(more.env ?? {}),
    ...(more.volumes ?? []),
    more.network === undefined ? undefined : t('network {0}', networkWords(more.network)),
    more.idle === undefined ? undefined : idleWords(more.idle),
  ].filter((word) => word !== undefined);
  return words.length === 0 ? t('ports, variables, volumes, network, idle') : words.join(' · ');
}

function chooseOne(first: number, draft: WorkspaceDraft, place: StepPlace) {
  const { more = {} } = draft;
  const line = (label: string, icon: string, description: string, offset: number): PickItem<number> => ({
    ...{ label, description, value: first + offset },
    iconPath: new vscode.ThemeIcon(icon),
  });
  const none = t('none');
  return showPick(place, {
    placeHolder: t('What else to set'),
    items: [
      line(t('Ports'), 'plug', portsText(more.ports) || none, 1),
      line(t('Variables'), 'symbol-variable', Object.keys(more.env ?? {}).join(', ') || none, 2),
      line(t('Volumes'), 'database', more.volumes?.join(', ') ?? none, 3),
      line(t('Network'), 'globe', networkWords(more.network ?? 'on'), 4),
      line(t('When idle'), 'watch', idleWords(more.idle), 5),
    ],
    accept: (step) => step,
  });
}

/** What is wrong with the ports that are typed; undefined where nothing is. */
export function portsProblem(
  text: string,
  draft: WorkspaceDraft,
  info: Pick<EngineInfo, 'drivers'>,
): string | undefined {
  const ports = parsePorts(text);
  if (ports === undefined) {
    return t('Enter ports, e.g. 8080, or two, e.g. 18080:8080, each once and of at most 65535.');
  }
  return ports.length > 0 && draft.more?.network === 'off' && needsNetwork(draft, info)
    ? t(
        'The network is off: a container without one publishes no port. Turn it on first, or leave this empty.',
      )
    : undefined;
}

function askPorts(info: EngineInfo, draft: WorkspaceDraft, place: StepPlace) {
  return showInput(place, {
    prompt: t('Ports inside that are reached on 127.0.0.1 of this machine'),
    placeHolder: '8080, 13000:3000',
    value: portsText(draft.more?.ports),
    validate: (text) => portsProblem(text, draft, info),
    accept: (text) => change(draft, { ports: parsePorts(text) ?? [] }),
  });
}

function askVariables(draft: WorkspaceDraft, place: StepPlace) {
  return showInput(place, {
    prompt: t('Environment variables of every login. They are no place for secrets.'),
    placeHolder: t('NODE_ENV=test GREETING="good morning"'),
    value: variablesText(draft.more?.env),
    validate: (text) =>
      parseVariables(text) === undefined
        ? t('Enter variables as NAME=value, with spaces between them; a value with spaces in quotes.')
        : undefined,
    accept: (text) => change(draft, { env: parseVariables(text) ?? {} }),
  });
}

function askVolumes(draft: WorkspaceDraft, place: StepPlace) {
  return showInput(place, {
    prompt: t('Volumes to mount beside the home: they are made where they are not there yet'),
    placeHolder: 'data:/mnt/data, models:/models:ro',
    value: draft.more?.volumes?.join(', ') ?? '',
    validate: (text) =>
      parseVolumes(text) === undefined
        ? t('Enter volumes as NAME:/path, or NAME:/path:ro for one that is only read.')
        : undefined,
    accept: (text) => change(draft, { volumes: parseVolumes(text) ?? [] }),
  });
}

/** A network in a few words. */
export function networkWords(network: NetworkMode): string {
  return {
    on: t('on'),
    off: t('off'),
    'host-loopback': t('on, with what listens on this machine only'),
  }[network];
}

/** The networks to choose from; `takesPorts`: it can't be had with the ports that are to be published. */
export function networkItems(
  draft: WorkspaceDraft,
  info: Pick<EngineInfo, 'drivers'>,
): (PickItem<NetworkMode> & { takesPorts: boolean })[] {
  const ports = portsText(draft.more?.ports);
  const isBound = ports !== '' && needsNetwork(draft, info);
  const details: Readonly<Record<NetworkMode, string>> = {
    on: t('The internet, but nothing that listens on this machine only.'),
    off: isBound
      ? t('Nothing but SSH from this machine: {0} is not published then.', ports)
      : t('Nothing but SSH from this machine.'),
    'host-loopback': t('What listens on this machine only is reached as 10.0.2.2, too.'),
  };
  return networksOf(info, draft.runtime).map((value) => ({
    label: networkWords(value),
    detail: details[value],
    value,
    takesPorts: value === 'off' && isBound,
  }));
}

function askNetwork(info: EngineInfo, draft: WorkspaceDraft, place: StepPlace) {
  const items = networkItems(draft, info);
  return showPick(place, {
    placeHolder: t('Network of the workspace'),
    items,
    active: draft.more?.network ?? 'on',
    accept: (network) => {
      const takesPorts = items.some((item) => item.takesPorts && item.value === network);
      change(draft, { network, ...(takesPorts && { ports: [] }) });
      return 'next';
    },
  });
}

function idleWords(idle: IdlePolicy | undefined): string {
  const { pauseAfter, stopAfter } = idle ?? {};
  const words = [
    pauseAfter === undefined ? undefined : t('paused after {0} minutes', pauseAfter),
    stopAfter === undefined ? undefined : t('stopped after {0} minutes', stopAfter),
  ].filter((word) => word !== undefined);
  return words.length === 0 ? t('as the settings say') : words.join(', ');
}

function askIdle(draft: WorkspaceDraft, place: StepPlace) {
  const items = idlePolicies.map((idle, value) => ({ label: idleWords(idle), value }));
  return showPick(place, {
    placeHolder: t('What happens when nobody has used the workspace for a while'),
    items,
    active: idleChoice(draft.more?.idle),
    accept: (index) => {
      const { idle: _, ...others } = draft.more ?? {};
      const idle = idlePolicies[index];
      draft.more = idle === undefined ? others : { ...others, idle };
      return 'next';
    },
  });
}
