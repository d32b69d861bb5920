import type { PublishedPort } from '../workspaces/schemas';

/** `8080`, a port inside, or `18080:8080`, after the one of this machine; undefined for anything else. */
export function parsePort(text: string): PublishedPort | undefined {
  const match = /^(?:(\d{1,5}):)?(\d{1,5})$/.exec(text);
  const [host, guest] = [match?.[1], match?.[2]].map((port) =>
    port === undefined ? undefined : Number(port),
  );
  const isPort = (port: number | undefined): boolean => port === undefined || (port > 0 && port <= 65_535);
  if (guest === undefined || !isPort(guest) || !isPort(host)) {
    return undefined;
  }
  return { ...(host !== undefined && { host }), guest };
}
