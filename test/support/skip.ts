/** Skips a test for want of something on this machine, and says of what: a skip that nobody sees looks like a success. */
export function skipWithout(context: Mocha.Context, missing: string): never {
  console.log(`      skipped: ${missing}`);
  return context.skip();
}

/** Root may give files to others and reads everything; both kinds of users run these tests. */
export const isRoot = process.getuid?.() === 0;

/** Skips a test whose subject is what root alone can do: "gives files to others". */
export function needsRoot(context: Mocha.Context, what: string): void {
  if (!isRoot) skipWithout(context, `root, who ${what}`);
}

/** Who may not read everything: this user, or `nobody` where it is root. */
export const ordinaryUser = isRoot ? 65_534 : (process.getuid?.() ?? 0);

/** This process does something as an ordinary user, which it is already unless it is root's. */
export async function asOrdinaryUser(run: () => Promise<void>): Promise<void> {
  if (!isRoot) {
    return run();
  }
  process.seteuid?.(ordinaryUser);
  try {
    await run();
  } finally {
    process.seteuid?.(0);
  }
}
