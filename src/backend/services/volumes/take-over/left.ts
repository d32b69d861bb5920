import type { LeftReason } from '../../../../api/files/take-over';

/** Why one of many is left as it is. */
export class Left extends Error {
  constructor(
    readonly why: LeftReason,
    readonly reason: string,
  ) {
    super(reason);
  }
}
