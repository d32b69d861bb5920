/** Berth's scripts and command line need this much. */
const OLDEST = 20;

export function requireNode() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < OLDEST)
    throw new Error(`Node.js ${OLDEST} or newer is needed; this is ${process.versions.node} (nodejs.org)`);
}
