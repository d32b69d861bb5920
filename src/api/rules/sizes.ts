/** Sizes as people write and read them, and the bounds of those that a user gives. Units are binary: 1 MiB is 1,048,576 bytes. */

/** Bytes. */
export const kibibyte = 1024;
/** Bytes. */
export const mebibyte = 1024 * kibibyte;
/** Bytes. */
export const gibibyte = 1024 * mebibyte;

export interface Bounds {
  minimum: number;
  maximum: number;
}

/** Of a workspace, in MiB. */
export const memoryBounds: Bounds = { minimum: 32, maximum: 16_777_216 };
/** Of /dev/shm, in MiB. */
export const sharedMemoryBounds: Bounds = { minimum: 1, maximum: 1_048_576 };
/** Of a volume that is a disk, in MiB. */
export const diskBounds: Bounds = { minimum: 1, maximum: 1_048_576 };
/** Of a workspace; a tenth of a CPU is a share of its time. */
export const cpuBounds: Bounds = { minimum: 0.1, maximum: 1024 };
/** Processes of a workspace at once. */
export const processBounds: Bounds = { minimum: 16, maximum: 4_194_304 };
/** Minutes of idleness, up to a year; 0 is never. */
export const idleBounds: Bounds = { minimum: 0, maximum: 525_600 };

/** Minutes between two snapshots, up to a year; 0 is none. */
export const snapshotIntervalBounds: Bounds = { minimum: 0, maximum: 525_600 };

/** Of such a volume where nobody names a size, in MiB. */
export const defaultDiskMiB = 1024;

/** Whether a value is within its bounds, both of which it may have. */
export function isWithin(value: number, { minimum, maximum }: Bounds): boolean {
  return value >= minimum && value <= maximum;
}

const mebibytesIn: Readonly<Record<string, number>> = { k: 1 / 1024, m: 1, g: 1024, t: 1024 * 1024 };

/** `512m`, `2g`, `1.5 GiB`, or a number of MiB, in whole MiB; undefined for what is no size, or less than 1 MiB. */
export function parseMiB(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(?:([kmgt])(?:i?b)?)?$/i.exec(text.trim());
  const factor = mebibytesIn[(match?.[2] ?? 'm').toLowerCase()] ?? Number.NaN;
  const value = Math.round(Number(match?.[1]) * factor);
  return value >= 1 ? value : undefined;
}

/** The same for the size of a disk; undefined for what no disk can have. */
export function parseDiskSize(text: string): number | undefined {
  const mebibytes = parseMiB(text);
  return mebibytes !== undefined && isWithin(mebibytes, diskBounds) ? mebibytes : undefined;
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** Bytes for people: `0 B`, `1.5 KiB`, `12 MiB`; three digits at most before the unit changes. */
export function formatBytes(bytes: number): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 9.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit] ?? 'B'}`;
}

/** MiB for people: `512 MiB`, `2.0 GiB`. */
export function formatMiB(mebibytes: number): string {
  return formatBytes(mebibytes * mebibyte);
}

/** MiB for people who may type them again, so without rounding: `4 GiB`, `1300 MiB`. */
export function exactMiB(mebibytes: number): string {
  return mebibytes % 1024 === 0 ? `${mebibytes / 1024} GiB` : `${mebibytes} MiB`;
}
