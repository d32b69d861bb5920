/** What passes through the window, which few copies do: in a file of its own, `extension-streams.js`, read with the first of them. */
export { readForeign } from './foreign-tree';
export { resumeStreams } from './resume-streams';
export { streamIn } from './stream-in';
export { streamOut } from './stream-out';
