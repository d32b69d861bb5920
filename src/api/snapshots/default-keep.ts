import type { KeepPolicy } from './schemas';

/** Which automatic snapshots stay, where nothing else is said. */
export const defaultKeep: KeepPolicy = { keepHourly: 24, keepDaily: 7, keepWeekly: 4 };
