/** Colours and marks, as far as the terminal and the user want them. */
export interface Style {
  readonly unicode: boolean;
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  blue(text: string): string;
}

const escape = '\u001b[';

/** Colours only on a terminal, and never with `NO_COLOR` (https://no-color.org) or a dumb terminal. */
export function hasColor(isTerminal: boolean, env: NodeJS.ProcessEnv): boolean {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') {
    return false;
  }
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '' && env.FORCE_COLOR !== '0') {
    return true;
  }
  return isTerminal && env.TERM !== 'dumb';
}

/** Whether the locale can show `✓` and spinners; Windows and macOS terminals always can. */
export function hasUnicode(env: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): boolean {
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find((value) => value !== undefined && value !== '');
  return platform !== 'linux' || /utf-?8/i.test(locale ?? '');
}

/** Colours and marks; plain ones where the terminal has none. */
export function createStyle(color: boolean, unicode: boolean): Style {
  const paint =
    (code: number) =>
    (text: string): string =>
      color ? `${escape}${code}m${text}${escape}0m` : text;
  return {
    unicode,
    bold: paint(1),
    dim: paint(2),
    red: paint(31),
    green: paint(32),
    yellow: paint(33),
    blue: paint(34),
  };
}
