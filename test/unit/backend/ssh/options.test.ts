import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { firstWithInclude, oldestClient } from '../../../../src/backend/ssh/client-version';
import { SshConfig, renderConfig } from '../../../../src/backend/ssh/config';
import { addInclude } from '../../../../src/backend/ssh/include';
import { fixedOptions, optionsFor } from '../../../../src/backend/ssh/options';
import { StateDirectory } from '../../../../src/backend/store/state-directory';
import { spoilingSsh } from '../../../support/programs/spoiling-ssh';
import { useTempFolder } from '../../../support/temp';

const run = promisify(execFile);

/** Why we leave the others alone. A keyword that is in neither list is to be judged. */
const left: Record<string, string> = {
  batchmode: 'taste: nothing of ours asks',
  bindinterface: 'without effect under BindAddress',
  canonicaldomains: 'without effect under CanonicalizeHostname no',
  canonicalizefallbacklocal: 'without effect under CanonicalizeHostname no',
  canonicalizemaxdots: 'without effect under CanonicalizeHostname no',
  canonicalizepermittedcnames: 'without effect under CanonicalizeHostname no',
  casignaturealgorithms: 'for certificates: our host keys have none',
  certificatefile: 'adds, and can not be taken away',
  channeltimeout: 'taste',
  checkhostip: 'without effect under HostKeyAlias',
  compression: 'taste',
  controlpersist: 'without effect under ControlPath none',
  dynamicforward: 'adds; one that fails is no failure',
  enableescapecommandline: 'taste',
  enablesshkeysign: 'for authentication by host',
  escapechar: 'taste',
  fingerprinthash: 'taste',
  forwardx11timeout: 'without effect under ForwardX11 no',
  forwardx11trusted: 'without effect under ForwardX11 no',
  gatewayports: 'taste, of forwards',
  globalknownhostsfile: 'adds to the known hosts, under other names',
  gssapiauthentication: 'another method than publickey',
  gssapiclientidentity: 'another method than publickey',
  gssapidelegatecredentials: 'another method than publickey',
  gssapikexalgorithms: 'what the server does not offer',
  gssapikeyexchange: 'what the server does not offer',
  gssapirenewalforcesrekey: 'what the server does not offer',
  gssapiserveridentity: 'what the server does not offer',
  gssapitrustdns: 'what the server does not offer',
  hashknownhosts: 'nothing is added to ours',
  host: 'begins a block',
  hostbasedacceptedalgorithms: 'another method than publickey',
  hostbasedauthentication: 'another method than publickey',
  hostbasedkeytypes: 'another method than publickey',
  identityagent: 'needed by those who forward their agent; ours is not asked of it',
  identityfile: 'adds: ours is tried first, see the tests of the config',
  identityfile2: 'the same as IdentityFile',
  ignoreunknown: 'of the first file alone: to set it would take that of the user away',
  include: 'a line of its own',
  ipqos: 'taste',
  kbdinteractiveauthentication: 'another method than publickey',
  kbdinteractivedevices: 'another method than publickey',
  challengeresponseauthentication: 'another method than publickey',
  skeyauthentication: 'another method than publickey',
  tisauthentication: 'another method than publickey',
  dsaauthentication: 'another name of PubkeyAuthentication',
  localcommand: 'taste: runs on this side',
  localforward: 'adds; one that fails is no failure',
  loglevel: 'taste',
  logverbose: 'taste',
  match: 'begins a block',
  numberofpasswordprompts: 'another method than publickey',
  obscurekeystroketiming: 'taste',
  passwordauthentication: 'another method than publickey',
  permitlocalcommand: 'taste: runs on this side',
  permitremoteopen: 'taste, of forwards',
  pkcs11provider: 'its keys are not asked under IdentitiesOnly',
  pubkeyacceptedalgorithms: 'the newer name of one that is set',
  refuseconnection: 'a refusal that the user wants',
  rekeylimit: 'taste',
  remoteforward: 'adds; one that fails is no failure',
  requiredrsasize: 'no key of ours is RSA',
  securitykeyprovider: 'its keys are not asked under IdentitiesOnly',
  sendenv: 'adds: the server takes none',
  serveralivecountmax: 'taste',
  serveraliveinterval: 'taste',
  setenv: 'the server takes none',
  smartcarddevice: 'its keys are not asked under IdentitiesOnly',
  streamlocalbindmask: 'taste, of forwards',
  streamlocalbindunlink: 'taste, of forwards',
  syslogfacility: 'taste',
  tag: 'taste',
  tcpkeepalive: 'taste',
  tunneldevice: 'without effect under Tunnel no',
  versionaddendum: 'taste',
  visualhostkey: 'taste',
  warnweakcrypto: 'taste',
  xauthlocation: 'without effect under ForwardX11 no',
  ...Object.fromEntries(
    [
      ...['cipher', 'fallbacktorsh', 'globalknownhostsfile2', 'protocol', 'rhostsauthentication'],
      ...['useblacklistedkeys', 'useprivilegedport', 'userknownhostsfile2', 'useroaming', 'usersh'],
    ].map((word) => [word, 'of old: OpenSSH reads it and does nothing']),
  ),
  keepalive: 'another name of TCPKeepAlive',
  // Debian's other names of ServerAliveInterval and ConnectTimeout.
  protocolkeepalives: 'taste',
  setuptimeout: 'the same as ServerAliveInterval',
};

/** Every keyword that this machine's client takes and that does something: from its own table of names. */
async function keywords(folder: string): Promise<string[]> {
  const program = (await run('sh', ['-c', 'command -v ssh'])).stdout.trim();
  const text = (await readFile(program)).toString('latin1');
  const names = text.match(/[a-z][a-z0-9]{2,40}(?=\0)/g) ?? [];
  // The linker keeps a name that another one ends with as a part of that.
  const words = new Set(
    names.flatMap((name) => Array.from({ length: name.length }, (_, at) => name.slice(at))),
  );
  const unknown = [...words].filter((word) => word.length > 2);
  const known = new Set<string>();
  for (;;) {
    const config = join(folder, 'words');
    const rest = unknown.filter((word) => !known.has(word));
    await writeFile(config, `Host nobody\n${rest.map((word) => `${word} yes\n`).join('')}`);
    const { stderr } = spawnSync('ssh', ['-G', '-F', config, 'x'], { encoding: 'utf8', maxBuffer: 2 ** 26 });
    const refused = new Set(
      [...stderr.matchAll(/Bad configuration option: (\S+?)\r?$/gm)].map(([, word]) => word),
    );
    const fatal = /words line (\d+): bad .*\r?\n$/s.exec(stderr.split('\n').slice(-2).join('\n'))?.[1];
    const lethal = fatal === undefined ? undefined : rest[Number(fatal) - 2];
    if (lethal === undefined) {
      assert(refused.size > 100, stderr.slice(-500));
      const noEffect = /(?:Deprecated|Unsupported) option "(\S+?)"/g;
      rest.filter((word) => !refused.has(word)).forEach((word) => known.add(word));
      const without = new Set([...stderr.matchAll(noEffect)].map(([, word]) => word?.toLowerCase()));
      return [...known].filter((word) => !without.has(word)).sort();
    }
    known.add(lethal);
  }
}

/** The line of our block that sets it. Either of two keeps another way from being taken. */
function blockLine(name: string): RegExp {
  const keyword = name.replace(/^proxy(?:jump|command)$/, 'Proxy(?:Jump|Command)');
  return new RegExp(`^ *${keyword} .*\\n`, 'gim');
}

async function effective(config: string): Promise<string[]> {
  const { stdout } = await run('ssh', ['-G', '-F', config, 'berth-demo']);
  // These add up.
  return stdout.split('\n').filter((line) => !/^(identityfile|certificatefile|host) /.test(line));
}

describe('ssh/options', () => {
  const folder = useTempFolder();
  const hosts = [{ workspace: 'demo', port: 2200, hostKey: 'ssh-ed25519 AAAA' }];

  async function generated(): Promise<StateDirectory> {
    const state = new StateDirectory(join(folder(), 'home'));
    await state.ensure();
    await new SshConfig(state).update(hosts);
    return state;
  }

  it('judges every keyword of ssh_config(5)', async () => {
    const all = await keywords(folder());
    assert(all.length > 90, `only ${all.length} keywords found`);
    const judged = new Set([...Object.keys(spoilingSsh), ...Object.keys(left)]);
    assert.deepEqual(
      all.filter((word) => !judged.has(word)),
      [],
      'to be judged: set in options.ts with a spoiling value here, or left with the reason',
    );
    const set = fixedOptions.map(({ keyword }) => keyword.toLowerCase());
    assert.deepEqual(
      set.filter((word) => spoilingSsh[word] === undefined),
      [],
    );
  });

  it('lets no value for all hosts spoil ours, whichever side of the line it is on', async () => {
    const { sshConfig } = await generated();
    const wanted = await effective(sshConfig);
    const user = join(folder(), 'user');
    const entries = Object.entries(spoilingSsh);
    const alone = entries.map(async ([keyword, value]) => {
      const path = join(folder(), keyword);
      await writeFile(path, (await readFile(sshConfig, 'utf8')).replace(blockLine(keyword), ''));
      await writeFile(path, `\nHost *\n  ${keyword} ${value}\n`, { flag: 'a' });
      const spoiled = await effective(path).catch(() => []);
      assert.notDeepEqual(spoiled, wanted, `${keyword} is not spoiled by ${value}`);
    });
    await Promise.all(alone);
    const all = entries.map(([keyword, value]) => `  ${keyword} ${value}\n`).join('');
    const line = `Include "${sshConfig}"\n`;
    for (const text of [`Host *\n${all}`, `${all}${line}`, `Host *\n${all}Match all\n${line}`]) {
      await writeFile(user, text);
      await addInclude(user, sshConfig);
      assert.deepEqual(await effective(user), wanted, text);
    }
  });

  it('names nothing that the oldest client of the machine does not know', async () => {
    const paths = { identityFile: '/k', knownHosts: '/h', proxy: '/p' };
    assert.doesNotMatch(
      renderConfig(hosts, paths, [7, 3]),
      /SessionType|StdinNull|KnownHosts.ommand|RemoteCommand/,
    );
    assert.match(renderConfig(hosts, paths, [7, 6]), /RemoteCommand none/);
    assert.doesNotMatch(renderConfig(hosts, paths, [8, 6]), /SessionType/);
    assert.match(renderConfig(hosts, paths, [8, 7]), /SessionType default/);
    assert.equal(optionsFor([10, 0]).length, fixedOptions.length);
    const [old, other] = [join(folder(), 'old'), join(folder(), 'other')];
    await run('mkdir', [old, other]);
    for (const [place, said] of [
      [old, 'OpenSSH_for_Windows_7.9p1, LibreSSL 2.6.5'],
      [other, 'OpenSSH_7.10p1 Debian'],
    ] as const) {
      await writeFile(join(place, 'ssh'), `#!/bin/sh\necho '${said}' >&2\n`);
      await chmod(join(place, 'ssh'), 0o755);
    }
    assert.deepEqual(await oldestClient({ PATH: [other, old, '/usr/bin'].join(delimiter) }), [7, 9]);
    assert((await oldestClient({ PATH: '' }))[0] >= firstWithInclude[0]);
  });

  it('asks a client for its version once, until its file is another', async () => {
    const place = (name: string) => join(folder(), name);
    const [program, asked, kept] = [place('ssh'), place('asked'), place('clients.json')];
    const install = async (version: string) => {
      await writeFile(program, `#!/bin/sh\necho x >> '${asked}'\necho 'OpenSSH_${version}p1' >&2\n`);
      await chmod(program, 0o755);
    };
    const times = async () => (await readFile(asked, 'utf8')).length / 2;
    const oldest = () => oldestClient({ PATH: folder() }, kept);
    await install('7.4');
    assert.deepEqual([await oldest(), await oldest(), await times()], [[7, 4], [7, 4], 1]);
    await install('7.5');
    assert.deepEqual([await oldest(), await oldest(), await times()], [[7, 5], [7, 5], 2]);
    for (const damage of ['', '[]', '{"x": 1}', JSON.stringify({ [program]: { stamp: '', version: [9] } })]) {
      await writeFile(kept, damage);
      assert.deepEqual(await oldest(), [7, 5], damage);
    }
    // It may run another program by now: it is asked again after some days.
    const before = await times();
    const text = await readFile(kept, 'utf8');
    await writeFile(kept, text.replace(/"askedAt":\d+/g, `"askedAt":${Date.now() - 8 * 24 * 3_600_000}`));
    assert.deepEqual([await oldest(), await oldest(), await times()], [[7, 5], [7, 5], before + 1]);
    const elsewhere = join(folder(), 'no-such-folder', 'clients.json');
    assert.deepEqual(await oldestClient({ PATH: folder() }, elsewhere), [7, 5]);
  });
});
