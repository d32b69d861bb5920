/** How long a process that was ended may take to be gone, or at least its output to be at its end. */
const settleMs = 5_000;

/** Ends a process; when that does not show in time, or fails, cuts its connection, so that `exit` settles in any case. */
export async function endWithin(
  exit: Promise<unknown>,
  end: () => Promise<unknown>,
  cut: () => void,
  ms = settleMs,
): Promise<void> {
  try {
    await end();
  } finally {
    const timer = setTimeout(cut, ms);
    const settled = (): void => clearTimeout(timer);
    exit.then(settled, settled);
  }
}
