/** The kinds of runtimes, for all sides. */

/** What drives the workspace's runtime. */
export const runtimeKinds = ['container', 'microvm'] as const;
export type RuntimeKind = (typeof runtimeKinds)[number];

/** Where a runtime runs: this machine. Every other target is the name of a machine whose container engine is used. */
export const localTarget = 'local';

/** `on box`; nothing for this machine, which needs no mention. */
export function placeWords(target = localTarget): string {
  return target === localTarget ? '' : `on ${target}`;
}

/** Where neither a request nor the settings name one. */
export const defaultRuntime: RuntimeKind = 'container';

/** Whether it names a kind of runtimes. */
export function isRuntimeKind(value: unknown): value is RuntimeKind {
  return runtimeKinds.some((kind) => kind === value);
}
