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
  return formatBytes(mebibytes * 1024 * 1024);
}
