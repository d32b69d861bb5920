/** Asking for limits: presets first, numbers for who wants them. Used by the wizard and by "Edit Limits". */
import * as vscode from 'vscode';
import { exactMiB } from '../../../api/rules/sizes';
import type { Limits, RuntimeKind } from '../../../api';
import { limitsWords, runtimeWords } from '../../../ui/words';
import { showInput, showPick, type PickItem, type StepPlace, type WizardStep } from '../../wizard';
import { typedNumber } from '../../../ui/sizes';
import { isCpuCount, parseMemory } from './draft';

const { t } = vscode.l10n;

const presets: Limits[] = [
  { cpus: 1, memoryMiB: 2048 },
  { cpus: 2, memoryMiB: 4096 },
  { cpus: 4, memoryMiB: 8192 },
];

/** The steps that fill the limits of a state. */
export function limitsSteps<State extends object>(
  get: (state: State) => Limits,
  set: (state: State, limits: Limits) => void,
  runtimeOf: (state: State) => RuntimeKind,
): WizardStep<State>[] {
  const custom = new WeakSet<State>();
  const change = (state: State, key: 'cpus' | 'memoryMiB', value: number | undefined): void => {
    const { [key]: _, ...others } = get(state);
    set(state, value === undefined ? others : { ...others, [key]: value });
  };
  const isSkipped = (state: State): boolean => !custom.has(state);
  const isFollowed = (state: State): boolean => custom.has(state);
  return [
    {
      isFollowed,
      show: (state, place) =>
        showPick(place, {
          placeHolder: t('CPU and memory'),
          items: presetItems(get(state), runtimeOf(state)),
          active: 0,
          accept: (index) => {
            custom.delete(state);
            const preset = presets[index - 1];
            if (index === customIndex) {
              custom.add(state);
            } else {
              set(state, { ...withoutSize(get(state)), ...preset });
            }
            return 'next';
          },
        }),
    },
    {
      isSkipped,
      isFollowed,
      show: (state, place) => askCpus(get(state), place, (value) => change(state, 'cpus', value)),
    },
    {
      isSkipped,
      show: (state, place) => askMemory(get(state), place, (value) => change(state, 'memoryMiB', value)),
    },
  ];
}

const customIndex = presets.length + 1;

function withoutSize({ cpus: _cpus, memoryMiB: _memory, ...others }: Limits): Limits {
  return others;
}

function presetItems(current: Limits, runtime: RuntimeKind): PickItem<number>[] {
  const hasLimits = current.cpus !== undefined || current.memoryMiB !== undefined;
  return [
    { label: runtimeWords(runtime).unlimitedTitle, description: hasLimits ? '' : t('current'), value: 0 },
    ...presets.map((preset, index) => ({ label: limitsWords(preset, runtime), value: index + 1 })),
    {
      label: t('Custom…'),
      description: hasLimits ? t('current: {0}', limitsWords(current, runtime)) : '',
      value: customIndex,
    },
  ];
}

function askCpus({ cpus }: Limits, place: StepPlace, accept: (value: number | undefined) => void) {
  return showInput(place, {
    prompt: t('CPUs, e.g. 2 (leave empty for the default)'),
    value: cpus === undefined ? '' : String(cpus),
    validate: (text) => (isCpuCount(typedNumber(text)) ? undefined : t('A number from 0.1 to 1024.')),
    accept: (text) => accept(text.trim() === '' ? undefined : Number(typedNumber(text))),
  });
}

function askMemory({ memoryMiB }: Limits, place: StepPlace, accept: (value: number | undefined) => void) {
  return showInput(place, {
    prompt: t('Memory, e.g. 4 GiB or 512 MiB (leave empty for the default)'),
    value: memoryMiB === undefined ? '' : exactMiB(memoryMiB),
    validate: (text) =>
      text.trim() === '' || parseMemory(typedNumber(text)) !== undefined
        ? undefined
        : t('An amount like 512 MiB or 4 GiB, at least 32 MiB.'),
    accept: (text) => accept(parseMemory(typedNumber(text))),
  });
}
