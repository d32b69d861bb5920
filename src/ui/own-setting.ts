/** What `WorkspaceConfiguration.inspect` answers; VS Code has the first two of these beyond its published types. */
export interface InspectedSetting {
  globalLocalValue?: unknown;
  globalRemoteValue?: unknown;
  globalValue?: unknown;
}

/**
 * The value in the user's own settings; undefined when there is none there. In a remote window VS Code mixes the
 * settings of the remote machine, which whoever works on that machine writes, into `globalValue`.
 */
export function ownValue(inspected: InspectedSetting | undefined): unknown {
  if (inspected === undefined) {
    return undefined;
  }
  const { globalLocalValue, globalRemoteValue, globalValue } = inspected;
  return globalLocalValue ?? (globalRemoteValue === undefined ? globalValue : undefined);
}
