/** A dialog of several steps with Back: each step is a quick input that fills a part of the state. */
import * as vscode from 'vscode';
import { DisposableList } from '../ui/signal';
import { plainItem } from '../ui/pick';
import { Cancelled } from '../ui/runner';

export interface StepPlace {
  title: string;
  step: number;
  totalSteps: number;
  canGoBack: boolean;
}

/** `next` goes on, `back` returns to the step before, a number jumps to that step and comes back to the last. */
export type Move = 'next' | 'back' | number;

export interface WizardStep<State> {
  show(state: State, place: StepPlace): Promise<Move>;
  isSkipped?(state: State): boolean;
  /** After a jump to this step, the one after it belongs to it and follows. */
  isFollowed?(state: State): boolean;
}

/**
 * Resolves with the filled state; throws `Cancelled` when the user closes a step. `jump`: the step to begin with, when all is filled
 * already and only that is to be changed; the last one comes after it.
 */
export async function runWizard<State>(
  title: string,
  steps: readonly WizardStep<State>[],
  state: State,
  jump?: number,
): Promise<State> {
  let index = jump ?? 0;
  let isJump = jump !== undefined;
  for (let step = steps[index]; step !== undefined; step = steps[index]) {
    const shown = steps.filter((each) => each === step || each.isSkipped?.(state) !== true);
    const at = shown.indexOf(step);
    const place = { title, step: at + 1, totalSteps: shown.length, canGoBack: at > 0 };
    const move = await step.show(state, place);
    if (typeof move === 'number') {
      isJump = true;
      index = move;
      continue;
    }
    const goesOn: boolean = !isJump || (move === 'next' && step.isFollowed?.(state) === true);
    index = goesOn ? neighbour(steps, state, index, move) : steps.length - 1;
    isJump &&= goesOn;
  }
  return state;
}

function neighbour<State>(
  steps: readonly WizardStep<State>[],
  state: State,
  from: number,
  move: 'next' | 'back',
): number {
  const by = move === 'next' ? 1 : -1;
  let index = from + by;
  while (steps[index]?.isSkipped?.(state) === true) {
    index += by;
  }
  return Math.max(0, index);
}

export interface InputStep {
  prompt: string;
  value: string;
  placeHolder?: string;
  validate: (value: string) => string | undefined;
  accept: (value: string) => void;
}

/** Asks for a text; resolves with where the user goes next. Throws `Cancelled`. */
export function showInput(place: StepPlace, options: InputStep): Promise<Move> {
  const input = vscode.window.createInputBox();
  input.value = options.value;
  input.prompt = options.prompt;
  input.placeholder = options.placeHolder;
  input.validationMessage = options.value === '' ? undefined : options.validate(options.value);
  return show(input, place, (listen, done) => {
    listen(input.onDidChangeValue((value) => (input.validationMessage = options.validate(value))));
    listen(
      input.onDidAccept(() => {
        input.validationMessage = options.validate(input.value);
        if (input.validationMessage === undefined) {
          options.accept(input.value);
          done('next');
        }
      }),
    );
  });
}

export interface PickItem<T> extends vscode.QuickPickItem {
  value: T;
}

export interface PickStep<T> {
  placeHolder: string;
  items: readonly PickItem<T>[];
  active?: T;
  /** Makes an item of what was typed, when none has that label. */
  typed?: (text: string) => PickItem<T> | undefined;
  accept: (value: T) => Move;
}

/** Asks for one of a list; resolves with where the user goes next. Throws `Cancelled`. */
export function showPick<T>(place: StepPlace, options: PickStep<T>): Promise<Move> {
  const pick = vscode.window.createQuickPick<PickItem<T>>();
  const items = options.items.map(plainItem);
  pick.items = items;
  pick.placeholder = options.placeHolder;
  pick.matchOnDescription = true;
  pick.activeItems = items.filter(({ value }) => value === options.active);
  return show(pick, place, (listen, done) => {
    listen(
      pick.onDidChangeValue((text) => {
        const own = options.items.some(({ label }) => label === text)
          ? undefined
          : options.typed?.(text.trim());
        pick.items = own === undefined ? items : [...items, plainItem(own)];
      }),
    );
    listen(
      pick.onDidAccept(() => {
        const [chosen] = pick.selectedItems;
        if (chosen !== undefined) {
          done(options.accept(chosen.value));
        }
      }),
    );
  });
}

type Listen = (subscription: vscode.Disposable) => void;

function show(
  input: vscode.InputBox | vscode.QuickPick<vscode.QuickPickItem>,
  place: StepPlace,
  wire: (listen: Listen, done: (move: Move) => void) => void,
): Promise<Move> {
  const subscriptions = new DisposableList();
  subscriptions.add(input);
  input.title = place.title;
  input.step = place.step;
  input.totalSteps = place.totalSteps;
  input.ignoreFocusOut = true;
  input.buttons = place.canGoBack ? [vscode.QuickInputButtons.Back] : [];
  return new Promise<Move>((resolve, reject) => {
    const listen: Listen = (subscription) => void subscriptions.add(subscription);
    wire(listen, resolve);
    listen(
      input.onDidTriggerButton((button) => {
        if (button === vscode.QuickInputButtons.Back) {
          resolve('back');
        }
      }),
    );
    listen(input.onDidHide(() => reject(new Cancelled())));
    input.show();
  }).finally(() => subscriptions.dispose());
}
