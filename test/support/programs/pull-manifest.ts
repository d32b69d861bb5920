/** A process of its own that asks a registry for an image, as its environment says: prints the digest, or the error. */
import { asBerthError } from '../../../src/api/errors';
import { Repository } from '../../../src/backend/images/oci/registry';

async function main([image = '', timeoutMs = '20000']: readonly string[]): Promise<void> {
  const repository = new Repository(image, () => Promise.resolve(undefined));
  try {
    const { descriptor } = await repository.manifest(repository.tag, AbortSignal.timeout(Number(timeoutMs)));
    process.stdout.write(JSON.stringify({ digest: descriptor.digest }));
  } catch (error) {
    const { code, message, hint, detail } = asBerthError(error);
    process.stdout.write(JSON.stringify({ code, message, hint, detail }));
  }
}

void main(process.argv.slice(2));
