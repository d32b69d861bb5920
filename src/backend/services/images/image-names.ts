/** Names that new images may be given. */
import { BerthError } from '../../../api/errors';
import { imageName } from '../../../api/rules/image-reference';

/** What Berth makes itself, and looks for by these names. */
const own = /^(workspace(:latest)?|berth-(tools|base)(:.*)?)$/;

/** A name that something new can be given; throws `bad_request`. */
export function checkNewImageName(image: string): void {
  if (imageName(image).digest !== undefined) {
    throw new BerthError(
      'bad_request',
      `"${image}" names an image by its digest, but an image that is still to be made has no digest.`,
      {
        field: 'image',
        hint: 'Give it a tag, for example my-tools:1.',
      },
    );
  }
  if (own.test(image)) {
    throw new BerthError('bad_request', `The image ${image} is one of Berth's own.`, {
      field: 'image',
      hint: 'Choose another name.',
    });
  }
}
