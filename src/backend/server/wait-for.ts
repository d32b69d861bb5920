import type { Operation } from '../../api/schemas/operation';

/** Holds the answer until the operation has ended, or for `wait` ms. */
export type WaitFor = (operation: Operation, query: { wait?: number }) => Promise<Operation>;
