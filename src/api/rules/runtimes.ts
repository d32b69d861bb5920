/** The kinds of runtimes, for all sides. */

/** What drives the workspace's runtime. */
export const runtimeKinds = ['container', 'microvm'] as const;
export type RuntimeKind = (typeof runtimeKinds)[number];

/** Where neither a request nor the settings name one. */
export const defaultRuntime: RuntimeKind = 'container';

export function isRuntimeKind(value: unknown): value is RuntimeKind {
  return runtimeKinds.some((kind) => kind === value);
}
