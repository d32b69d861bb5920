import type { Operation } from '../../api/operations/schemas';

/** Holds the answer until the operation has ended, or for `wait` ms. */
export type WaitFor = (operation: Operation, query: { wait?: number }) => Promise<Operation>;
