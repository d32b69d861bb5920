import manifest from '../../package.json';

/** The version of Berth that this code is. */
export const berthVersion: string = manifest.version;

/** Raised when clients and engine of different versions can no longer talk. */
export const protocolVersion = 1;

/** Above 0 when `a` is the newer version, below 0 when `b` is (semver.org: 1.0.0-rc.2 < 1.0.0). */
export function compareVersions(a: string, b: string): number {
  const [[numbersA, labelA], [numbersB, labelB]] = [parseVersion(a), parseVersion(b)];
  for (const index of [0, 1, 2]) {
    const difference = (numbersA[index] ?? 0) - (numbersB[index] ?? 0);
    if (difference !== 0) {
      return difference;
    }
  }
  if (labelA === '' || labelB === '') {
    return Number(labelA === '') - Number(labelB === '');
  }
  return labelA.localeCompare(labelB, 'en', { numeric: true });
}

function parseVersion(version: string): [number[], string] {
  const [, core = '', label = ''] = /^v?([\d.]+)(?:-([^+]*))?/.exec(version) ?? [];
  return [core.split('.').map(Number), label];
}
