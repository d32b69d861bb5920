/**
 * The proxy that a request to a registry goes through, as the environment of the engine names it. Which requests take it is
 * decided as Docker decides (Go's `httpproxy`): a domain in NO_PROXY stands for all below it, addresses may be networks, and
 * this machine itself needs no proxy. ALL_PROXY, SOCKS and the precedence of the lower-case spelling are curl's.
 */
import type { Agent } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { SocksProxyAgent } from 'socks-proxy-agent';
import { BerthError } from '../../../api/errors';

type Environment = Readonly<Record<string, string | undefined>>;

export interface Proxy {
  /** For people: without user and password. */
  name: string;
  /** The variable of the environment that names it. */
  variable: string;
  url: URL;
}

const schemes = new Set(['http:', 'https:', 'socks:', 'socks4:', 'socks4a:', 'socks5:', 'socks5h:']);
const defaultPorts: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/** The proxy for an address; undefined when the request goes straight to it. */
export function proxyFor(url: URL, env: Environment = process.env): Proxy | undefined {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (isThisMachine(host)) {
    return undefined;
  }
  const found = variableOf([`${url.protocol.slice(0, -1)}_proxy`, 'all_proxy'], env);
  const port = url.port === '' ? defaultPorts[url.protocol] : url.port;
  const exceptions = variableOf(['no_proxy'], env)?.value ?? '';
  return found === undefined || isException(host, port, exceptions) ? undefined : parse(found);
}

/** An agent for one request, which `signal` ends also while the proxy has not answered. */
export function agentFor({ url: proxy }: Proxy, target: URL, signal: AbortSignal, timeoutMs: number): Agent {
  if (proxy.protocol.startsWith('socks')) {
    return new SocksProxyAgent(proxy, { timeout: timeoutMs });
  }
  return target.protocol === 'https:'
    ? new HttpsProxyAgent(proxy, { signal })
    : new HttpProxyAgent(proxy, { signal });
}

interface Found {
  variable: string;
  value: string;
}

/** The first of these that is set to something, in either spelling. */
function variableOf(names: readonly string[], env: Environment): Found | undefined {
  return names
    .flatMap((name) => [name, name.toUpperCase()])
    .map((variable) => ({ variable, value: env[variable]?.trim() ?? '' }))
    .find(({ value }) => value !== '');
}

/** The value may hold a password, so it is in no message. */
function parse({ variable, value }: Found): Proxy {
  const text = value.includes('://') ? value : `http://${value}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !schemes.has(url.protocol) || url.hostname === '' || !isDecodable(url)) {
    throw new BerthError('bad_request', `The variable ${variable} of the engine does not name a proxy.`, {
      hint: `Set ${variable} to an address like http://proxy.example:3128 (http, https and socks5 are known; special characters of a password as %40), then restart the engine: \`berth down\`.`,
    });
  }
  return { name: `${url.protocol}//${url.host}`, variable, url };
}

function isDecodable({ username, password }: URL): boolean {
  try {
    return decodeURIComponent(username + password) !== '\0';
  } catch {
    return false;
  }
}

function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function isException(host: string, port: string | undefined, list: string): boolean {
  const entries = list.toLowerCase().split(/[\s,]+/);
  return entries.some((entry) => entry === '*' || (entry !== '' && isNamedBy(entry, host, port)));
}

function isNamedBy(entry: string, host: string, port: string | undefined): boolean {
  const [, address = '', prefix] = /^(.*)\/(\d{1,3})$/.exec(entry) ?? [];
  if (prefix !== undefined) {
    return isWithin(host, address, Number(prefix));
  }
  const bare = isIP(entry) === 6 ? [entry, entry] : /^\[?(.*?)\]?(?::(\d+))?$/.exec(entry);
  const name = (bare?.[1] ?? '').replace(/^\*?\./, '');
  const wantedPort = isIP(entry) === 6 ? undefined : bare?.[2];
  if (name === '' || (wantedPort !== undefined && wantedPort !== port)) {
    return false;
  }
  return host === name || (isIP(host) === 0 && host.endsWith(`.${name}`));
}

function isWithin(host: string, network: string, prefix: number): boolean {
  const kind = isIP(network);
  if (kind === 0 || isIP(host) !== kind || prefix > (kind === 4 ? 32 : 128)) {
    return false;
  }
  const family = kind === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(network, prefix, family);
  return list.check(host, family);
}
