/** What passes through the window, and what is asked before a copy: in a file of its own, `extension-streams.js`, read with the first. */
export { askedPolicy } from './conflicts';
export { readForeign } from './foreign-tree';
export { resumeStreams } from './resume-streams';
export { streamIn } from './stream-in';
export { streamOut } from './stream-out';
