/** Texts as a translation may make them, and how to find what is none. */

/** A language that is read from right to left and takes twice the room: each text in brackets of its own. */
export const pseudo = (text: string): string => `⟦\u202e${text}\u202c${'~'.repeat(text.length)}⟧`;

/** What no translation has been asked for: what is outside of all brackets. */
function outside(text: string): string {
  const inner = text.replace(/⟦[^⟦⟧]*⟧/g, '');
  return inner === text ? inner : outside(inner);
}

/** Names, numbers, paths, addresses and units are the same in all languages. */
const same =
  /\b(?:demo|data|pgdata|cache|workspace-[\w-]+|workspace:latest|debian:12|berth-\w+|container-\w+|ssh|Node|[KMG]iB|\d+|AM|PM|Jan)\b|\$\(\w+\)|(?:\/[\w-]+)+/g;
/** Whether somebody reads words in it that were asked for in no language. */
export const untranslated = (text: string): boolean => /[A-Za-z]{2,}/.test(outside(text).replace(same, ''));
