/** Types of tasks.mjs, for the tests. */
export interface Task {
  needs?: string[];
  work: (say: (message: string) => void) => Promise<unknown>;
}

interface Steps {
  run<T>(name: string, work: (say: (message: string) => void) => Promise<T>): Promise<T>;
}

export function createTasks(tasks: Record<string, Task>, steps: Steps): (name: string) => Promise<unknown>;
