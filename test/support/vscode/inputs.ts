/** Input boxes and quick picks that are closed as soon as they show, and keep what they said. */
import { Signal } from '../../../src/ui/signal';

interface Item {
  label: string;
  description?: string;
  detail?: string;
}

export class ShownInput {
  title = '';
  value = '';
  prompt: string | undefined;
  placeholder: string | undefined;
  items: readonly Item[] = [];
  selectedItems: readonly Item[] = [];
  readonly hidden = new Signal<undefined>();
  private readonly never = new Signal<never>();
  readonly onDidHide = this.hidden.on;
  readonly onDidAccept = this.never.on;
  readonly onDidChangeValue = this.never.on;
  readonly onDidTriggerButton = this.never.on;

  readonly show = (): void => queueMicrotask(() => this.hidden.fire(undefined));
  readonly dispose = (): void => undefined;

  /** All that a person reads in it. */
  get texts(): string[] {
    const items = this.items.flatMap(({ label, description, detail }) => [label, description, detail]);
    const all = [this.title, this.prompt, this.placeholder, ...items];
    return all.filter((text) => text !== undefined).filter((text) => text !== '');
  }
}
