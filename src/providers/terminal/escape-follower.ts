/** Follows a terminal's output so far as to know whether it is between two control sequences (ECMA-48 5.4, 5.6). */

type Place = 'between' | 'escape' | 'sequence' | 'string' | 'string-escape';

/** What begins a string that a terminator ends: DCS, SOS, OSC, PM, APC. */
const strings = 'PX]^_';
const isIntermediate = (char: string): boolean => char >= ' ' && char <= '/';
const isFinal = (char: string): boolean => char >= '@' && char <= '~';

export class EscapeFollower {
  private place: Place = 'between';

  get isBetween(): boolean {
    return this.place === 'between';
  }

  follow(text: string): void {
    let index = 0;
    while (index < text.length) {
      if (this.place === 'between') {
        const found = text.indexOf('\x1b', index);
        if (found < 0) {
          return;
        }
        this.place = 'escape';
        index = found + 1;
      } else {
        this.place = next(this.place, text.charAt(index));
        index += 1;
      }
    }
  }
}

function next(place: Place, char: string): Place {
  // CAN and SUB end whatever it is.
  if (char === '\x18' || char === '\x1a') {
    return 'between';
  }
  if (place === 'string' || place === 'string-escape') {
    return inString(place, char);
  }
  if (char === '\x1b') {
    return 'escape';
  }
  if (place === 'sequence') {
    return isFinal(char) ? 'between' : 'sequence';
  }
  if (char === '[') {
    return 'sequence';
  }
  if (strings.includes(char)) {
    return 'string';
  }
  return isIntermediate(char) ? 'escape' : 'between';
}

/** A string ends by BEL or by ESC \; another sequence that begins in it ends it as well. */
function inString(place: Place, char: string): Place {
  if (place === 'string-escape' && char !== '\x1b') {
    return char === '\\' ? 'between' : next('escape', char);
  }
  if (char === '\x07') {
    return 'between';
  }
  return char === '\x1b' ? 'string-escape' : 'string';
}
