/** The settings: what VS Code knows of each. Where each may be set follows from its use in ui/ids.ts. */
import { defaultRuntime, runtimeKinds } from '../../api/rules/runtimes';
import { settingUses, type SettingId } from '../ids';

/** A JSON schema, without what is the same for all settings. */
interface SettingRow {
  type: 'string' | 'boolean' | 'number' | 'object' | 'array';
  default: unknown;
  /** `%KEY%` in package.nls.json. */
  patternErrorMessage?: string;
  [keyword: string]: unknown;
}

/** In the order in which the settings editor shows them. */
const rows: Readonly<Record<SettingId, SettingRow>> = {
  stateDirectory: { type: 'string', default: '' },
  dockerHost: {
    type: 'string',
    default: '',
    pattern: '^$|^(unix|npipe|tcp|http|ssh)://',
    patternErrorMessage: '%config.dockerHost.pattern%',
  },
  defaultImage: { type: 'string', default: '' },
  defaultRuntime: { type: 'string', enum: [...runtimeKinds], default: defaultRuntime },
  hostLoopback: { type: 'boolean', default: false },
  portRange: {
    type: 'object',
    properties: {
      first: { type: 'integer', minimum: 1024, maximum: 65535 },
      last: { type: 'integer', minimum: 1024, maximum: 65535 },
    },
    additionalProperties: false,
    default: { first: 2200, last: 2400 },
  },
  'idle.pauseAfter': { type: 'number', minimum: 0, default: 0 },
  'idle.stopAfter': { type: 'number', minimum: 0, default: 0 },
  'idle.archiveAfter': { type: 'number', minimum: 0, default: 0 },
  'trash.days': { type: 'number', minimum: 0, maximum: 3650, default: 7 },
  'workspaces.groupBy': { type: 'string', enum: ['none', 'state', 'runtime', 'image'], default: 'none' },
  'workspaces.sortBy': { type: 'string', enum: ['name', 'state', 'lastUsed', 'created'], default: 'name' },
  'workspaces.description': {
    type: 'array',
    items: { type: 'string', enum: ['state', 'runtime', 'image', 'port', 'idle'] },
    uniqueItems: true,
    default: ['port', 'idle', 'runtime', 'image'],
  },
  'volumes.groupBy': { type: 'string', enum: ['role', 'none', 'kind'], default: 'role' },
  'volumes.sortBy': { type: 'string', enum: ['name', 'size', 'created'], default: 'name' },
  'volumes.showForeign': { type: 'boolean', default: true },
  'files.maxEditorSizeMiB': { type: 'number', minimum: 1, maximum: 1024, default: 50 },
  'files.confirmDelete': { type: 'boolean', default: true },
  'ssh.includeConfig': { type: 'string', enum: ['ask', 'always', 'never'], default: 'ask' },
  'ssh.setRemotePlatform': { type: 'string', enum: ['ask', 'always', 'never'], default: 'ask' },
};

const isSettingId = (id: string): id is SettingId => id in settingUses;

function property(id: SettingId, index: number): object {
  const use = settingUses[id];
  return {
    order: index + 1,
    ...rows[id],
    scope: use === 'show' ? 'window' : 'application',
    ...(use === 'machine' && { ignoreSync: true }),
    markdownDescription: `%config.${id}%`,
  };
}

export const configuration = {
  title: '%config.title%',
  properties: Object.fromEntries(
    Object.keys(rows)
      .filter(isSettingId)
      .map((id, index) => [`berth.${id}`, property(id, index)]),
  ),
};
