/** The steps of the wizard that creates a workspace. */
import * as vscode from 'vscode';
import { pulledImage } from '../../../api/rules/image-reference';
import { formatBytes } from '../../../ui/sizes';
import type { DriverStatus, EngineInfo, Image, Limits, NetworkMode, RuntimeKind } from '../../../api';
import { engineSentence } from '../../../ui/operations/engine-sentences';
import type { Store } from '../../../ui/store';
import { limitsWords, runtimeWords } from '../../../ui/words';
import { showInput, showPick, type PickItem, type StepPlace, type WizardStep } from '../../wizard';
import { cloneMessage } from './clone-words';
import type { WorkspaceDraft } from './draft';
import { limitsSteps } from './limits-steps';
import { dropUnfitNetwork, moreSteps, moreWords, networkWords } from './more-steps';
import { nameMessage } from './name-words';
import { canHaveDefaultImage } from './preselection';
import { showInformationMessage } from '../../../ui/messages';

const { t } = vscode.l10n;

export interface CreateChoices {
  info: EngineInfo;
  images: readonly Image[];
}

type Step = WizardStep<WorkspaceDraft>;

/** Where the image is asked for. */
export const imageStep = 2;

/** All of them, in order; which ones are skipped depends on what was chosen before. */
export function createSteps(store: Store, choices: CreateChoices): Step[] {
  const steps: Step[] = [
    { show: (draft, place) => askName(store, draft, place) },
    { show: (draft, place) => askRuntime(choices.info, draft, place) },
    { show: (draft, place) => askImage(choices, draft, place) },
    { show: askClone },
    ...limitsSteps<WorkspaceDraft>(
      (draft) => draft.limits,
      (draft, limits) => (draft.limits = limits),
      (draft) => draft.runtime,
    ),
    { show: askDocker },
  ];
  const docker = steps.length - 1;
  const more = steps.length;
  return [
    ...steps,
    ...moreSteps(more, choices.info),
    { show: (draft, place) => summary({ docker, more }, choices, draft, place) },
  ];
}

function askName(store: Store, draft: WorkspaceDraft, place: StepPlace) {
  return showInput(place, {
    prompt: t('Name of the workspace'),
    placeHolder: t('e.g. my-project'),
    value: draft.name,
    validate: (name) => nameMessage(store, name.trim()),
    accept: (name) => (draft.name = name.trim()),
  });
}

function runtimeItem(runtime: RuntimeKind, drivers: readonly DriverStatus[]): PickItem<RuntimeKind> {
  const status = drivers.find((each) => each.runtime === runtime);
  const words = runtimeWords(runtime);
  return {
    label: words.title,
    iconPath: new vscode.ThemeIcon(words.icon),
    description: status?.available === true ? (status.product ?? '') : t('not available'),
    detail: status?.available === true ? words.detail : status?.message && engineSentence(status.message),
    value: runtime,
  };
}

/** That a network was taken back, and why: the runtime has none of the kind, or none of its ports without one. */
function takenBackWords(runtime: RuntimeKind, network: NetworkMode): string {
  const { plural } = runtimeWords(runtime);
  return network === 'off'
    ? t('{0} publish no ports without a network: it is “{1}” again.', plural, networkWords('on'))
    : t(
        '{0} can’t have the network “{1}”: it is “{2}” again.',
        plural,
        networkWords(network),
        networkWords('on'),
      );
}

function askRuntime(info: EngineInfo, draft: WorkspaceDraft, place: StepPlace) {
  const { drivers } = info;
  const items = drivers.map(({ runtime }) => runtimeItem(runtime, drivers));
  return showPick(place, {
    placeHolder: t('Container or microVM?'),
    items,
    active: draft.runtime,
    accept: (runtime) => {
      draft.runtime = runtime;
      const network = dropUnfitNetwork(draft, info);
      if (network !== undefined) {
        void showInformationMessage(takenBackWords(runtime, network));
      }
      return 'next';
    },
  });
}

function askImage(choices: CreateChoices, draft: WorkspaceDraft, place: StepPlace) {
  const { info, images } = choices;
  const tags = images.flatMap(({ tags: names, sizeBytes }) => names.map((tag) => ({ tag, sizeBytes })));
  const others = tags.filter(({ tag }) => tag !== info.defaultImage);
  const isPresent = tags.length > others.length;
  const canBeHad = canHaveDefaultImage(choices);
  const own: PickItem<string> = {
    label: info.defaultImage,
    description: isPresent
      ? t('default')
      : canBeHad
        ? t('default, not built yet')
        : t('needs Docker or Podman to be built'),
    value: '',
  };
  const isListed = canBeHad || tags.some(({ tag }) => tag === pulledImage);
  const items: PickItem<string>[] = [
    ...(isListed ? [] : [{ label: pulledImage, description: t('from its registry'), value: pulledImage }]),
    own,
    ...others.map(({ tag, sizeBytes }) => ({ label: tag, description: formatBytes(sizeBytes), value: tag })),
  ];
  return showPick(place, {
    placeHolder: t('Image: choose one, or type any name'),
    items,
    active: draft.image,
    typed: (text) =>
      text === '' ? undefined : { label: text, description: t('use this image'), value: text },
    accept: (image) => {
      draft.image = image;
      return 'next';
    },
  });
}

function askClone(draft: WorkspaceDraft, place: StepPlace) {
  return showInput(place, {
    prompt: t('Repository to clone into /home/workspace/repo (leave empty for none)'),
    placeHolder: 'https://example.org/team/project.git',
    value: draft.cloneUrl,
    validate: (url) => cloneMessage(url.trim()),
    accept: (url) => (draft.cloneUrl = url.trim()),
  });
}

function askDocker(draft: WorkspaceDraft, place: StepPlace) {
  const detail = runtimeWords(draft.runtime).dockerInside;
  return showPick(place, {
    placeHolder: t('Docker inside the workspace'),
    items: [
      { label: t('No Docker inside'), description: t('default'), value: false },
      { label: t('Docker inside'), detail, value: true },
    ],
    active: draft.docker,
    accept: (docker) => {
      draft.docker = docker;
      return 'next';
    },
  });
}

/** All choices at a glance: Enter creates, choosing a line changes it. */
function summary(
  at: { docker: number; more: number },
  { info }: CreateChoices,
  draft: WorkspaceDraft,
  place: StepPlace,
) {
  const line = (label: string, description: string, step: number): PickItem<number> => ({
    label,
    description,
    iconPath: new vscode.ThemeIcon('edit'),
    value: step,
  });
  const create: PickItem<number> = {
    label: t('Create “{0}”', draft.name),
    iconPath: new vscode.ThemeIcon('add'),
    alwaysShow: true,
    value: -1,
  };
  const limits: Limits = draft.limits;
  return showPick(place, {
    placeHolder: t('Press Enter to create the workspace, or choose a setting to change'),
    items: [
      create,
      line(t('Name'), draft.name, 0),
      line(t('Runs as'), runtimeWords(draft.runtime).name, 1),
      line(t('Image'), draft.image === '' ? info.defaultImage : draft.image, imageStep),
      line(t('Clone'), draft.cloneUrl === '' ? t('nothing') : draft.cloneUrl, 3),
      line(t('Limits'), limitsWords(limits, draft.runtime), 4),
      line(t('Docker inside'), draft.docker ? runtimeWords(draft.runtime).withDocker : t('no'), at.docker),
      line(t('More…'), moreWords(draft), at.more),
    ],
    active: -1,
    accept: (step) => (step < 0 ? 'next' : step),
  });
}
