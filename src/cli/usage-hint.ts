/** What to type instead of what could not be understood. */

/** Words that other tools have for what is called otherwise here, by the command that they stand after. */
const otherWords: Record<string, Record<string, string>> = {
  berth: {
    ps: '`berth list`',
    remove: '`berth delete` for workspaces, `berth rm` for files',
    destroy: '`berth delete`',
    shell: '`berth ssh`',
    attach: '`berth ssh`',
    show: '`berth info`',
    inspect: '`berth info`',
    kill: '`berth stop`',
    unpause: '`berth resume`',
    images: '`berth image list`',
    volumes: '`berth volume list`',
    ports: '`berth port list`',
    grep: '`berth find --text`',
    search: '`berth find --text`',
  },
  volume: {
    ls: '`berth volume list`',
    rm: '`berth volume delete`',
    remove: '`berth volume delete`',
    inspect: '`berth volume info`',
    show: '`berth volume info`',
  },
  image: {
    ls: '`berth image list`',
    rm: '`berth image remove`',
    delete: '`berth image remove`',
  },
  port: {
    ls: '`berth port list`',
    rm: '`berth port remove`',
    delete: '`berth port remove`',
    publish: '`berth port add`',
  },
};

/** @param suggestion what the parser found similar, if anything */
export function usageHint(command: string, message: string, suggestion: string): string {
  const unknown = /^unknown command '(.*)'$/.exec(message)?.[1];
  const words = otherWords[command] ?? {};
  if (unknown !== undefined && Object.hasOwn(words, unknown)) {
    return `Did you mean ${words[unknown]}?`;
  }
  if (suggestion !== '') {
    return suggestion;
  }
  if (/unknown option/.test(message)) {
    return 'Options of a command to run inside go after `--`. `--help` shows what is understood.';
  }
  if (command === 'ls' && message.startsWith('missing required argument')) {
    return 'Name a workspace whose files to list. `berth list` lists the workspaces.';
  }
  if (command === 'port' && unknown !== undefined) {
    return `What to do comes first, then the workspace: \`berth port list ${unknown}\`.`;
  }
  return 'Add --help to see how it is used.';
}
