const steps = [
  { unit: 'year', ms: 365 * 86_400_000 },
  { unit: 'month', ms: 30 * 86_400_000 },
  { unit: 'week', ms: 7 * 86_400_000 },
  { unit: 'day', ms: 86_400_000 },
  { unit: 'hour', ms: 3_600_000 },
  { unit: 'minute', ms: 60_000 },
] as const;

/** How long ago an ISO time was: `just now`, `3 minutes ago`, `in 2 hours` (a clock that runs ahead); `-` for no time: images may have none. */
export function formatAgo(iso: string, now: number): string {
  const then = Date.parse(iso);
  if (Number.isNaN(then)) {
    return iso;
  }
  if (then <= 0) {
    return '-';
  }
  const ms = now - then;
  const step = steps.find((candidate) => Math.abs(ms) >= candidate.ms);
  if (step === undefined) {
    return 'just now';
  }
  const count = Math.floor(Math.abs(ms) / step.ms);
  const amount = `${count} ${step.unit}${count === 1 ? '' : 's'}`;
  return ms >= 0 ? `${amount} ago` : `in ${amount}`;
}

/** Local date and time to the minute, sortable: `2026-01-31 09:05`. */
export function formatDate(ms: number): string {
  const date = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}
