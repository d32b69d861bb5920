/** A part of docker-modem that its types leave out: what it makes requests by. */
declare module 'docker-modem/lib/http' {
  import type http from 'node:http';
  import type https from 'node:https';

  const requests: {
    http: Pick<typeof http, 'request' | 'get'>;
    https: Pick<typeof https, 'request' | 'get'>;
  };
  export default requests;
}
