/**
 * Whose containers and volumes are: the label of the installation decides, at every door, not the name. What has no
 * such label was made by the user, or by a tool that knows nothing of installations.
 */
import { BerthError } from '../../../../api/errors';
import { ownerWords } from '../../../../api/rules/owner';
import type { Owner } from '../../../../api/common';
import type { AdoptedVolume } from '../../../store/adopted-volumes';
import { isInternalVolume, isReservedName, label } from './labels';

type Labels = Readonly<Partial<Record<string, string>>>;

export class Ownership {
  constructor(
    /** Of this installation. */
    readonly id: string,
    /** Its state directory: shown to whoever meets what it made. */
    private readonly home?: string,
    /** Volumes that the user had this installation take over: their labels can't be changed. */
    private readonly isAdopted: (volume: AdoptedVolume) => boolean = () => false,
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
    return this.hasAdopted(name, labels) ? undefined : this.of(labels);
  }

  isOurs(name: string, labels: Labels | null | undefined): boolean {
    return labels?.[label.installation] === this.id || this.hasAdopted(name, labels);
  }

  private hasAdopted(name: string, labels: Labels | null | undefined): boolean {
    if (labels?.[label.claimed] !== undefined) {
      // Who made it may have taken it back, by a claim of its own: the list is of before.
      return false;
    }
    const installation = this.of(labels)?.installation;
    const id = labels?.[label.nonce];
    return this.isAdopted({
      name,
      ...(installation !== undefined && { installation }),
      ...(id !== undefined && { id }),
    });
  }

  /** Of a container: all that this installation makes have its mark. */
  isOurRuntime(labels: Labels | null): boolean {
    return labels?.[label.installation] === this.id;
  }

  /** Throws `exists` for a container that another installation or another tool made. */
  refuseRuntime(name: string, labels: Labels | null): void {
    if (!this.isOurRuntime(labels)) {
      throw foreignRuntime(name, this.of(labels));
    }
  }

  /** Throws `in_use` for a volume that another installation made. */
  refuseVolume(name: string, labels: Labels | null | undefined): void {
    const owner = this.ofVolume(name, labels);
    if (owner !== undefined) {
      throw new BerthError('in_use', `The volume ${name} belongs to ${ownerWords(owner)}.`, {
        hint: `Use it from there, choose another name, or take it over: \`berth volume adopt ${name} --take-over\`.`,
      });
    }
  }

  /**
   * The same, and for one that Berth needs for itself, or would by its name. `labels` are undefined when there is none.
   * Throws `forbidden`.
   */
  refuseMount(name: string, labels: Labels | undefined): void {
    this.refuseVolume(name, labels);
    if (labels === undefined ? isReservedName(name) : isInternalVolume(name, labels)) {
      throw reservedVolume(name);
    }
  }
}

/** The error `forbidden` for a name that a user's volume can't have. */
export function reservedVolume(name: string): BerthError {
  return new BerthError('forbidden', `The volume name ${name} is kept for what Berth itself needs.`, {
    field: 'name',
    hint: 'Choose another name.',
  });
}

/** `owner` is undefined for one that another tool made. */
export function foreignRuntime(name: string, owner: Owner | undefined): BerthError {
  const adopt = `berth adopt ${name.replace(/^workspace-/, '')}`;
  return owner === undefined
    ? new BerthError('exists', `The container ${name} was made by another tool.`, {
        field: 'name',
        hint: `Rename or remove it (\`docker rename\`, \`docker rm\`), or adopt it: \`${adopt}\`.`,
      })
    : new BerthError('exists', `The container ${name} belongs to ${ownerWords(owner)}.`, {
        field: 'name',
        hint: `Choose another name, delete it from there, or take it over: \`${adopt} --take-over\`.`,
      });
}
