/** How files of this machine are opened to be copied. */
import { constants } from 'node:fs';

/** A pipe or link that took a file's name meanwhile must neither make us wait nor be followed; undefined on Windows. */
export const readFlags =
  constants.O_RDONLY |
  ((constants.O_NONBLOCK as number | undefined) ?? 0) |
  ((constants.O_NOFOLLOW as number | undefined) ?? 0);
