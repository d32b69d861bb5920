/** The order in which inventories name files: that of Python's text, in which a byte that is no UTF-8 is U+DCNN. */

/** A genuine character of the range that stands for bytes, as `machine/file-names.ts` writes it. */
const genuine = /\uefee([\uefbe\uefbf])([\uef80-\uefbf])/g;
const escaped = /[\uef80-\uefff]/g;
/** What most names are made of needs no second look. */
const plain = /^[ -~]*$/;

/** As a sort wants it. */
export function compareNames(a: string, b: string): number {
  if (plain.test(a) && plain.test(b)) {
    return a < b ? -1 : a > b ? 1 : 0;
  }
  return compareCodePoints(asPython(a), asPython(b));
}

/** The same for paths as lists of names: what is below a folder comes at once after it. */
export function compareParts(a: readonly string[], b: readonly string[]): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const order = compareNames(a[at] ?? '', b[at] ?? '');
    if (order !== 0) {
      return order;
    }
  }
  return a.length - b.length;
}

function asPython(name: string): string {
  const marked: string[] = [];
  const held = name.replace(genuine, (_, second: string, third: string) => {
    const bits = ((second.charCodeAt(0) & 0x3f) << 6) | (third.charCodeAt(0) & 0x3f);
    marked.push(String.fromCharCode(0xe000 | bits));
    return '\0';
  });
  const bytes = held.replace(escaped, (byte) => String.fromCharCode(byte.charCodeAt(0) - 0xef00 + 0xdc00));
  return bytes.replace(/\0/g, () => marked.shift() ?? '');
}

function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const [one, other] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (one !== other) {
      return rank(one) - rank(other);
    }
  }
  return a.length - b.length;
}

/** Beyond U+FFFF, which two units stand for, the first of them is below others. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit < 0xdc00 ? unit + 0x10000 : unit;
}
