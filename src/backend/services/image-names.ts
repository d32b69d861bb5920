/** Names that images may have (distribution/reference): `[host[:port]/]name[/name...][:tag]`. */
import { BerthError } from '../../api/errors';

const part = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const host = '(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::[0-9]+)?/)?';
const pattern = new RegExp(`^${host}${part}(?:/${part})*(?::[A-Za-z0-9_][\\w.-]{0,127})?$`);
const longest = 255;
/** What Berth makes itself, and looks for by these names. */
const own = /^(workspace(:latest)?|berth-(tools|base)(:.*)?)$/;

/** A name that something new can be given; throws `bad_request`. */
export function checkImageName(image: string): void {
  if (image.length > longest || !pattern.test(image)) {
    throw new BerthError('bad_request', `"${image}" can't be the name of an image.`, {
      field: 'image',
      hint: 'Lower case letters and digits, e.g. my-tools:1 or registry.example/group/name:tag.',
    });
  }
  if (own.test(image)) {
    throw new BerthError('bad_request', `The image ${image} is one of Berth's own.`, {
      field: 'image',
      hint: 'Choose another name.',
    });
  }
}
