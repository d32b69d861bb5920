/**
 * Whose containers and volumes are: the label of the installation decides, at every door, not the name. What has no
 * such label was made by the user, or by a tool that knows nothing of installations.
 */
import { BerthError } from '../../../api/errors';
import { ownerWords } from '../../../api/owner';
import type { Owner } from '../../../api/schemas/common';
import { label } from './labels';

type Labels = Readonly<Partial<Record<string, string>>>;

export class Ownership {
  constructor(
    /** Of this installation. */
    readonly id: string,
    /** Its state directory: told to whoever meets what it made. */
    private readonly home?: string,
    /** Volumes that the user had this installation take over: their labels can't be changed. */
    private readonly isAdopted: (volume: string) => boolean = () => false,
  ) {}

  /** For everything that this installation makes. */
  get labels(): Record<string, string> {
    return { [label.installation]: this.id, ...(this.home !== undefined && { [label.home]: this.home }) };
  }

  /** The other installation that made it. */
  of(labels: Labels | null | undefined): Owner | undefined {
    const installation = labels?.[label.installation];
    const home = labels?.[label.home];
    // Without a value, as images of a commit have it, it says nothing.
    return installation === undefined || installation === '' || installation === this.id
      ? undefined
      : { installation, ...(home !== undefined && { home }) };
  }

  ofVolume(name: string, labels: Labels | null | undefined): Owner | undefined {
    return this.isAdopted(name) ? undefined : this.of(labels);
  }

  isOurs(name: string, labels: Labels | null | undefined): boolean {
    return labels?.[label.installation] === this.id || this.isAdopted(name);
  }

  /** Throws `exists` for a container that another installation made. */
  refuseRuntime(name: string, labels: Labels | null | undefined): void {
    const owner = this.of(labels);
    if (owner !== undefined) {
      throw foreignRuntime(name, owner);
    }
  }

  /** Throws `in_use` for a volume that another installation made. */
  refuseVolume(name: string, labels: Labels | null | undefined): void {
    const owner = this.ofVolume(name, labels);
    if (owner !== undefined) {
      throw new BerthError('in_use', `The volume ${name} belongs to ${ownerWords(owner)}.`, {
        hint: 'Use it from there, choose another name, or take it over: `berth adopt --take-over`.',
      });
    }
  }
}

export function foreignRuntime(name: string, owner: Owner): BerthError {
  return new BerthError('exists', `The container ${name} belongs to ${ownerWords(owner)}.`, {
    field: 'name',
    hint: 'Choose another name, delete it from there, or take it over: `berth adopt --take-over`.',
  });
}
