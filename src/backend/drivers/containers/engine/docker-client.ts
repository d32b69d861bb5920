/**
 * The client library as Berth uses it. What the library does not see to itself: a value never changes which address is
 * asked, an answer never leads to another one, and a connection that breaks never ends the engine.
 */
import { EventEmitter } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { inspect } from 'node:util';
import Dockerode from 'dockerode';
import DockerModem from 'docker-modem';
import modemHttp from 'docker-modem/lib/http';
import { BerthError } from '../../../../api/errors';
import { imageName } from '../../../../api/rules/image-reference';
import { isVolumeName } from '../../../../api/rules/names';
import { asError } from '../../../machine/as-error';

/**
 * For requests without TLS, which alone has such names: else Node compiles two expressions, for 6 ms, to see whether the
 * host is an IP address.
 */
export const withoutTls = { servername: '' };

// The library's own requests follow any redirect, over TCP and without a listener for errors.
modemHttp.http = {
  request: (options, callback) => http.request({ ...undescribed(options), ...withoutTls }, callback),
};
modemHttp.https = { request: (options, callback) => https.request(undescribed(options), callback) };

/**
 * The library describes each request, for a log that is off: with all that its agent has open, which takes longer than
 * the request.
 */
function undescribed(options: http.RequestOptions): http.RequestOptions {
  return Object.assign(options, { [inspect.custom]: () => 'a request' });
}

const segments = /^(?:\/[A-Za-z0-9_.:@%[\]-]+)+$/;
/** What a call has in its path from the start; the library adds the rest, escaped. */
const query = /^(?:[A-Za-z0-9_.%=&-]*)$/;

/** Throws `bad_request` unless the path of a call is what its author wrote: no value in it adds or takes away a part. */
export function checkPath(path: string): void {
  const cut = path.indexOf('?');
  const pathname = cut < 0 ? path : path.slice(0, cut);
  const isWhole =
    segments.test(pathname) &&
    !pathname.split('/').some((part) => part === '.' || part === '..') &&
    (cut < 0 || query.test(path.slice(cut + 1)));
  if (!isWhole) {
    throw new BerthError(
      'bad_request',
      `${JSON.stringify(path.slice(0, 200))} is no call of the container engine.`,
    );
  }
}

/** Of containers, volumes and execs: names as the engine takes them, and ids. Throws `bad_request`. */
export function checkedName(name: string, what: string): string {
  if (!isVolumeName(name)) {
    throw new BerthError('bad_request', `${JSON.stringify(name.slice(0, 100))} is not the name of ${what}.`, {
      hint: 'Letters, digits, underscores, dots and hyphens; the first is a letter or a digit.',
    });
  }
  return name;
}

/** As every engine takes it: where a digest says what is meant, a tag beside it only confuses some. */
export function nameForEngine(image: string): string {
  const { repository, digest } = imageName(image);
  return digest === undefined ? image : `${repository}@${digest}`;
}

class CheckedModem extends DockerModem {
  override dial(options: DockerModem.DialOptions, callback?: DockerModem.RequestCallback): void {
    try {
      checkPath(options.path);
    } catch (error) {
      callback?.(asError(error), null);
      return;
    }
    super.dial(options, (error, answer) => {
      if (answer instanceof EventEmitter) {
        // Whoever reads it hears of it as well; a stream that nobody reads any more must not end the process.
        answer.on('error', () => undefined);
      }
      callback?.(error, answer);
    });
  }
}

/** Throws `bad_request` for names that can't be one: also from promises, as every call is made in one. */
class CheckedDocker extends Dockerode {
  override getContainer(id: string): Dockerode.Container {
    return super.getContainer(checkedName(id, 'a container'));
  }

  override getVolume(name: string): Dockerode.Volume {
    return super.getVolume(checkedName(name, 'a volume'));
  }

  override getExec(id: string): Dockerode.Exec {
    return super.getExec(checkedName(id, 'a process'));
  }

  override getImage(name: string): Dockerode.Image {
    return super.getImage(nameForEngine(name));
  }
}

/** A client that refuses paths which a value has changed, with `bad_request`, and follows no redirect. */
export function dockerClient(options: DockerModem.ConstructorOptions): Dockerode {
  // The types know the options of a modem, and not the modem itself, which the library takes as well.
  const withModem: Dockerode.DockerOptions & { modem: DockerModem } = { modem: new CheckedModem(options) };
  return new CheckedDocker(withModem);
}
