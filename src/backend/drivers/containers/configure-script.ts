/**
 * Runs as root inside on every start, from a tar on its standard input. Constant text: names, keys and variables are
 * only ever files. The busybox of the tools runs its own applets whatever the image has.
 */
import { berthDirectory, shell, toolsDirectory } from './init-script';
import { multilineFile } from './sshd-config';

const sourceMultiline = `[ ! -r ${multilineFile} ] || . ${multilineFile}`;
const begin = '# >>> berth: written anew at every start';
const end = '# <<< berth';

const users = `
shell_of() { for s in "$1" /bin/bash /bin/sh ${shell}; do [ -n "$s" ] && [ -x "$s" ] && echo "$s" && return; done; }
# Its line goes right behind the first, so that uid 1000 is called workspace whoever else has it.
insert() {
  awk -v line="$2" -v name="$1" -F: '$1 != name { print; if (!done) { print line; done = 1 } } END { if (!done) print line }' \
    "$3" >"$3.berth" && cat "$3.berth" >"$3"; rm -f "$3.berth"
}
[ -s /etc/passwd ] || { mkdir -p /etc; echo "root:x:0:0:root:/root:$(shell_of)" >/etc/passwd; }
[ -s /etc/group ] || echo 'root:x:0:' >/etc/group
current=$(awk -F: '$1 == "workspace"' /etc/passwd)
have=$(echo "$current" | cut -d: -f7)
want="workspace:x:1000:1000:Berth workspace:/home/workspace:$(shell_of "$have")"
if [ "$(echo "$current" | cut -d: -f3,4,6,7)" != "$(echo "$want" | cut -d: -f3,4,6,7)" ]; then
  insert workspace "$want" /etc/passwd
fi
group=$(awk -F: '$1 == "workspace"' /etc/group)
[ "$(echo "$group" | cut -d: -f3)" = 1000 ] || insert workspace 'workspace:x:1000:' /etc/group
if [ -f /etc/shadow ]; then
  locked=$(awk -F: '$1 == "workspace" { found = 1; if ($2 ~ /^!/) print "yes" } END { if (!found) print "yes" }' /etc/shadow)
  [ -z "$locked" ] || insert workspace 'workspace:*:19000:0:99999:7:::' /etc/shadow
fi
if ! grep -q '^sshd:' /etc/passwd; then
  id=74; while awk -F: -v id=$id '$3 == id { found = 1 } END { exit !found }' /etc/passwd; do id=$((id + 1)); done
  echo "sshd:x:$id:65534:sshd:/run/sshd:/sbin/nologin" >>/etc/passwd
fi
for sudo in /usr/bin/sudo /bin/sudo /usr/local/bin/sudo; do
  if [ -x $sudo ] && [ ! -e /etc/sudoers.d/workspace ]; then
    mkdir -p /etc/sudoers.d
    echo 'workspace ALL=(ALL) NOPASSWD:ALL' >/etc/sudoers.d/workspace
    chmod 440 /etc/sudoers.d/workspace
  fi
done
`;

const home = `
h=/home/workspace
[ -d "$h" ] || mkdir -p "$h"
if [ "$(stat -c %u:%g "$h")" != 1000:1000 ]; then chown -R -h 1000:1000 "$h"; chmod 755 "$h"; fi
if [ -z "$(ls -A "$h" | grep -v '^lost+found$')" ] && [ -d /etc/skel ]; then
  cp -a /etc/skel/. "$h/" && chown -R -h 1000:1000 "$h"
fi
`;

const environment = `
touch /etc/environment
if [ -s $s/environment ] || grep -q '^${begin}' /etc/environment; then
  { sed '/^${begin}/,/^${end}/d' /etc/environment; echo '${begin}'; cat $s/environment; echo '${end}'; } >$s/etc-environment
  cmp -s $s/etc-environment /etc/environment || cat $s/etc-environment >/etc/environment
fi
if [ -s $s/multiline.sh ]; then
  chown 1000:1000 $s/multiline.sh && mv -f $s/multiline.sh ${multilineFile}
  mkdir -p /etc/profile.d
  echo '${sourceMultiline}' >/etc/profile.d/berth.sh
  # Bash reads this one, not BASH_ENV, for a command that comes by SSH.
  [ ! -f /etc/bash.bashrc ] || grep -q '${multilineFile}' /etc/bash.bashrc || sed -i '1i ${sourceMultiline}' /etc/bash.bashrc
else
  rm -f ${multilineFile} /etc/profile.d/berth.sh
fi
`;

/** Said of each file that something is in the way of: it does well without, unlike with a full disk. */
const notWritten = 'berth: not written: ';

/** Unpacks the tar \$1 below \$2. One by one only when that fails as a whole, because names count as patterns then. */
const unpack = `
unpack() {
  tar -x -f "$1" -C "$2" 2>/dev/null && return
  tar -t -f "$1" | while IFS= read -r file; do
    said=$(tar -x -f "$1" -C "$2" "$file" 2>&1) && continue
    case "$said" in *"No space left"*) echo "$said" >&2; exit 1 ;; esac
    echo "${notWritten}\${2%/}/$file: $(echo "$said" | tr "\\n" " ")"
  done
}
`;

/** Folders of our making are private; files come with their modes. */
const homeFiles = `
set -e
cd /home/workspace
while IFS= read -r dir; do [ -d "$dir" ] || mkdir -m 700 -- "$dir" || true; done <${berthDirectory}/stage/home-directories
umask 0
${unpack}
unpack ${berthDirectory}/stage/home.tar /home/workspace
`;

/** Files of the home are written as its user: a link planted there leads nowhere the user could not go. */
const files = `${unpack}
while IFS= read -r dir; do
  [ -d "$dir" ] || { mkdir -m 700 -- "$dir" && chown -h 1000:1000 "$dir"; } || true
done <$s/directories
[ ! -e $s/root.tar ] || unpack $s/root.tar /
if [ -e $s/home.tar ]; then
  chown 1000:1000 $s/home.tar $s/home-directories
  su -s ${shell} workspace -c '${homeFiles}' </dev/null
fi
`;

const hand = `
for f in host_key authorized_keys sshd_config; do mv -f $s/$f $d/$f; done
chown 1000:1000 $s/env && mv -f $s/env $d/env
cd /
rm -rf $s
`;

const script = `
set -eu
umask 022
d=${berthDirectory}
s=$d/stage
[ -x ${toolsDirectory}/bin/sshd ] || { echo "the volume of the tools is not whole" >&2; exit 1; }
mkdir -p /run/sshd && chmod 755 /run/sshd
rm -rf $s && mkdir -m 711 $s && tar -x -f - -C $s
${users}${home}${environment}${files}${hand}`;

/** The files that the script said it could not write, each with the reason. */
export function notWrittenOf(output: string): string[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith(notWritten))
    .map((line) => `Not written: ${line.slice(notWritten.length).trim()}`);
}

/** Run by the init itself, at the first start. */
export const configureScript = script;

/** Run by an exec: the init stops waiting on its standard input, and goes on or has sshd read its files again. */
const byExec = `
d=${berthDirectory}
[ -e $d/configured ] || mkfifo -m 600 $d/go 2>/dev/null || true
[ ! -s $d/reader ] || kill "$(cat $d/reader)" 2>/dev/null || true
${shell} -c "$1" berth-configure || exit $?
if [ ! -e $d/configured ]; then
  timeout 10 ${shell} -c "echo >$d/go" || { echo "the init of the container does not take its configuration" >&2; exit 1; }
elif [ -s $d/sshd.pid ]; then
  kill -HUP "$(cat $d/sshd.pid)" 2>/dev/null || true
fi
`;

export const configureCommand: readonly string[] = [shell, '-c', byExec, 'berth-reconfigure', script];
