/** A part of docker-modem that its types leave out: what it makes requests by. */
declare module 'docker-modem/lib/http' {
  import type { ClientRequest, RequestOptions } from 'node:http';

  interface Requests {
    request(options: RequestOptions, callback: () => void): ClientRequest;
  }
  const requests: { http: Requests; https: Requests };
  export default requests;
}
