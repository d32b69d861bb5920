/** What to do about an error, as data: clients make a button of it, and the hint its last sentence. */
export const remedies = ['start', 'restart', 'create', 'forget'] as const;
export type Remedy = (typeof remedies)[number];

const sentences: Readonly<Record<Remedy, string>> = {
  start: 'Start it again',
  restart: 'Stop it and start it again',
  create: 'Create it again',
  forget: 'Forget it, which leaves its runtime and volumes where they are',
};

/** Whether it is a remedy that clients have a button for. */
export function isRemedy(value: unknown): value is Remedy {
  return remedies.some((remedy) => remedy === value);
}

/** The whole hint: what has to be done first, where there is something, and the remedy. */
export function hintOf(first: string | undefined, remedy: Remedy | undefined): string | undefined {
  if (remedy === undefined) {
    return first;
  }
  const sentence = sentences[remedy];
  return first === undefined
    ? `${sentence}.`
    : `${first} Then ${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}.`;
}
