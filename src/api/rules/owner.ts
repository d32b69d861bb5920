/** Whose something is, in words that tell installations apart. */
import type { Owner } from '../common';

/** `another installation of Berth (/home/me/.berth, 1b2c…)`. */
export function ownerWords({ installation, home }: Owner): string {
  return `another installation of Berth (${[home, installation].filter((part) => part !== undefined).join(', ')})`;
}
