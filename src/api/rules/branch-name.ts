/** Which names of branches and tags git is given to clone: those of git-check-ref-format(1), as `--branch` reads them. */

/** Control characters, blanks, and what has a meaning in patterns and revisions; then sequences of such a meaning. */
const forbidden = new RegExp(String.raw`[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|//|^[-/]|[/.]$`);

/** An option, `HEAD` and what stands for it are names of no branch. */
export function isBranchName(name: string): boolean {
  return (
    name !== '' &&
    name !== '@' &&
    name !== 'HEAD' &&
    !forbidden.test(name) &&
    name.split('/').every((part) => !part.startsWith('.') && !part.endsWith('.lock'))
  );
}
