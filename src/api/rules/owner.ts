/** Whose something is, in words that tell installations apart. */
import type { Owner } from '../common';
import type { Volume } from '../volumes/schemas';

/** `another installation of Berth (/home/me/.berth, 1b2c…)`. */
export function ownerWords({ installation, home }: Owner): string {
  return `another installation of Berth (${[home, installation].filter((part) => part !== undefined).join(', ')})`;
}

/**
 * The other installation that a volume belongs to; undefined for ours and for those of other tools. What another tool made may be
 * the home of another installation's workspace, which has not marked it.
 */
export function ownerOf({ owner, holders }: Pick<Volume, 'owner' | 'holders'>): Owner | undefined {
  return owner ?? holders.find((holder) => holder.owner !== undefined)?.owner;
}
