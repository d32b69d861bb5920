/**
 * JSON that is written as bytes at once: to make and join many short texts would be most of the work of a long list. Each
 * function writes at a place, where there must be room, and answers the place behind.
 */

const quote = 0x22;
const backslash = 0x5c;
const point = 0x2e;
const zero = 0x30;
/** Numbers up to here are written digit by digit. */
const maxDigits = 0x7fffffff;

/** What a text takes at most. */
export function roomOf(text: string): number {
  return text.length * 6 + 2;
}

/** A part that is always the same. */
export function putFixed(bytes: Uint8Array, at: number, part: Uint8Array): number {
  // Faster than `set` for so few.
  for (let index = 0; index < part.length; index++) {
    bytes[at + index] = part[index] as number;
  }
  return at + part.length;
}

/** A text in its quotes. */
export function putText(bytes: Buffer, at: number, text: string): number {
  let end = at;
  bytes[end++] = quote;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code > 0x7e || code === quote || code === backslash) {
      return at + bytes.write(JSON.stringify(text), at);
    }
    bytes[end++] = code;
  }
  bytes[end++] = quote;
  return end;
}

/** A number as JSON has it. */
export function putNumber(bytes: Buffer, at: number, value: number): number {
  return value >= 0 && value <= maxDigits && Number.isInteger(value)
    ? putDigits(bytes, at, value, digitsOf(value))
    : at + bytes.write(JSON.stringify(value), at);
}

/** So many thousandths, an integer. */
export function putThousandths(bytes: Buffer, at: number, value: number): number {
  const millions = Math.floor(value / 1e6);
  if (millions < 1 || millions > maxDigits) {
    return putNumber(bytes, at, value / 1000);
  }
  const rest = value - millions * 1e6;
  const thousands = Math.floor(rest / 1000);
  const afterMillions = putDigits(bytes, at, millions, digitsOf(millions));
  const afterThousands = putDigits(bytes, afterMillions, thousands, 3);
  bytes[afterThousands] = point;
  return putDigits(bytes, afterThousands + 1, rest - thousands * 1000, 3);
}

function digitsOf(value: number): number {
  let count = 1;
  for (let limit = 10; value >= limit; limit *= 10) {
    count++;
  }
  return count;
}

function putDigits(bytes: Uint8Array, at: number, value: number, count: number): number {
  let left = value | 0;
  for (let place = at + count - 1; place >= at; place--) {
    const shorter = (left / 10) | 0;
    bytes[place] = zero + left - shorter * 10;
    left = shorter;
  }
  return at + count;
}
