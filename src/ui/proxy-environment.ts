/** What the proxy settings of VS Code mean for the engine, which knows proxies from its environment alone. */

export interface ProxySettings {
  /** `http.proxy` of the user's own settings. */
  proxy: unknown;
  /** `http.noProxy`. */
  noProxy: unknown;
  /** `http.proxySupport`. */
  support: unknown;
}

/** The variables to start the engine with, in both spellings; none where VS Code takes its own from the environment too. */
export function proxyEnvironment({ proxy, noProxy, support }: ProxySettings): Record<string, string> {
  if (typeof proxy !== 'string' || proxy === '' || support === 'off') {
    return {};
  }
  const exceptions = Array.isArray(noProxy) ? noProxy.filter((host) => typeof host === 'string') : [];
  return {
    ...inBothSpellings('http_proxy', proxy),
    ...inBothSpellings('https_proxy', proxy),
    ...(exceptions.length > 0 && inBothSpellings('no_proxy', exceptions.join(','))),
  };
}

function inBothSpellings(name: string, value: string): Record<string, string> {
  return { [name]: value, [name.toUpperCase()]: value };
}
