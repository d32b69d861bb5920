/** The kinds of runtimes, for all sides. */

/** What drives the workspace's runtime. */
export const runtimeKinds = ['container', 'microvm'] as const;
export type RuntimeKind = (typeof runtimeKinds)[number];

/** Where a runtime runs: this machine. Every other target is the name of a machine whose container engine is used. */
export const localTarget = 'local';

/** `this machine`, or the name of another one. */
export function machineWords(target: string): string {
  return target === localTarget ? 'this machine' : target;
}

/** `on box`; nothing for this machine, which needs no mention. */
export function placeWords(target = localTarget): string {
  return target === localTarget ? '' : `on ${target}`;
}

/** Whether it is on the machine that a list was asked for; every machine when none was. */
export function isOnTarget(
  { target = localTarget }: { target?: string },
  wanted: string | undefined,
): boolean {
  return wanted === undefined || target === wanted;
}

/** Where neither a request nor the settings name one. */
export const defaultRuntime: RuntimeKind = 'container';

/** Whether it names a kind of runtimes. */
export function isRuntimeKind(value: unknown): value is RuntimeKind {
  return runtimeKinds.some((kind) => kind === value);
}
