/**
 * Runs as root inside on every start, from a tar on its standard input. Constant text: names, keys and variables are
 * only ever files. The busybox of the tools runs its own applets whatever the image has.
 */
import { berthDirectory, shell, toolsDirectory } from './init-script';
import { homeFolder } from './places';
import { loginFile, multilineFile } from './sshd-config';

const sourceMultiline = `[ ! -r ${multilineFile} ] || . ${multilineFile}`;
const sourceLogin = `[ ! -r ${loginFile} ] || . ${loginFile}`;
/** Before the image's own, which may add to the PATH. */
const loginHook = '/etc/profile.d/00-berth.sh';
export const environmentBegin = '# >>> berth: written anew at every start';
export const environmentEnd = '# <<< berth';

/** Looks without a process, which takes its time in emulation, and writes only what is not right yet. */
const users = `
newline='
'
shell_of() {
  for program in "$1" /bin/bash /bin/sh ${shell}; do [ -n "$program" ] && [ -x "$program" ] && return; done
}
# Its line goes right behind the first, so that uid 1000 is called workspace whoever else has it.
insert() {
  awk -v line="$2" -v name="$1" -F: '$1 != name { print; if (!done) { print line; done = 1 } } END { if (!done) print line }' \
    "$3" >"$3.berth" && cat "$3.berth" >"$3"; rm -f "$3.berth"
}
mkdir -p /etc
[ -s /etc/passwd ] || { shell_of ''; echo "root:x:0:0:root:/root:$program" >/etc/passwd; }
[ -s /etc/group ] || echo 'root:x:0:' >/etc/group

user= have= ids=' ' server= open=
while IFS=: read -r name _ id gid _ folder login || { [ -n "$name" ] && open=yes; }; do
  ids="$ids$id "
  case "$name" in
    workspace) user=$user$id:$gid:$folder have=$login; [ -x "$have" ] || user=$user! ;;
    sshd) server=yes ;;
  esac
done </etc/passwd
if [ "$user" != 1000:1000:${homeFolder} ]; then
  shell_of "$have"
  insert workspace "workspace:x:1000:1000:Berth workspace:${homeFolder}:$program" /etc/passwd
  open=
fi
if [ -z "$server" ]; then
  id=74; while case "$ids" in *" $id "*) ;; *) false ;; esac; do id=$((id + 1)); done
  [ -z "$open" ] || echo >>/etc/passwd
  echo "sshd:x:$id:65534:sshd:/run/sshd:/sbin/nologin" >>/etc/passwd
fi

group=
while IFS=: read -r name _ id _ || [ -n "$name" ]; do
  [ "$name" != workspace ] || group=$group$id
done </etc/group
[ "$group" = 1000 ] || insert workspace 'workspace:x:1000:' /etc/group

# A password that starts with ! locks the user out.
if [ -f /etc/shadow ]; then
  locked=yes
  while IFS=: read -r name password _ || [ -n "$name" ]; do
    if [ "$name" = workspace ]; then case "$password" in !*) locked=yes; break ;; *) locked= ;; esac; fi
  done </etc/shadow
  [ -z "$locked" ] || insert workspace 'workspace:*:19000:0:99999:7:::' /etc/shadow
fi

for sudo in /usr/bin/sudo /bin/sudo /usr/local/bin/sudo; do
  if [ -x $sudo ] && [ ! -e /etc/sudoers.d/workspace ]; then
    mkdir -p /etc/sudoers.d
    echo 'workspace ALL=(ALL) NOPASSWD:ALL' >/etc/sudoers.d/workspace
    chmod 440 /etc/sudoers.d/workspace
  fi
done
`;

/**
 * What was in a home before, or is mounted in one, keeps its owners: only what the image put into a new one is given. The
 * home itself comes last: a run that was cut off before is known by its owner, and done again.
 */
const home = `
h=${homeFolder}
[ -d "$h" ] || mkdir -p "$h"
give_contents() {
  set --
  while read -r _ _ _ _ mount _; do
    case "$mount" in "$h"/*) set -- "$@" -path "$(printf %b "$mount" | sed 's/[][\\\\*?]/\\\\&/g')" -prune -o ;; esac
  done </proc/self/mountinfo
  find "$h" "$@" ! -path "$h" -exec chown -h 1000:1000 {} +
}
is_bare() {
  for f in "$1"/* "$1"/.*; do
    case "\${f##*/}" in '*' | '.*' | . | .. | lost+found) ;; *) return 1 ;; esac
  done
}
copied=
if is_bare "$h" && [ -d /etc/skel ]; then cp -a /etc/skel/. "$h/" && copied=yes; fi
if [ -n "$copied" ] || [ "$(stat -c %u:%g "$h")" != 1000:1000 ]; then
  if [ -n "$copied" ] || [ -e $s/new-home ]; then give_contents; fi
  [ ! -e $s/new-home ] || chmod 755 "$h"
  chown 1000:1000 "$h"
fi
`;

/**
 * A volume that the container engine has just made, and folders that it made in the home to mount one there, are root's.
 * Whatever holds something keeps its owner, and no link of the user's leads to what is given to him.
 */
const volumes = `
while IFS= read -r mount; do
  rest=\${mount#"$h"/} folder=$h direct=yes
  while [ "$rest" != "$mount" ]; do
    case "$rest" in */*) ;; *) break ;; esac
    folder=$folder/\${rest%%/*} rest=\${rest#*/}
    if [ ! -d "$folder" ] || [ -L "$folder" ]; then direct=; break; fi
    [ "$(stat -c %u "$folder")" != 0 ] || chown 1000:1000 "$folder"
  done
  if [ -n "$direct" ] && [ -d "$mount" ] && [ ! -L "$mount" ] && [ "$(stat -c %u:%g "$mount")" = 0:0 ] && is_bare "$mount"; then chown 1000:1000 "$mount"; fi
done <$s/mounts
`;

const environment = `
old= kept= ours=
[ -e /etc/environment ] || : >/etc/environment
while IFS= read -r line || [ -n "$line" ]; do
  old=$old$line$newline
  case "$line" in '${environmentBegin}'*) ours=yes ;; esac
  [ -n "$ours" ] || kept=$kept$line$newline
  case "$line" in '${environmentEnd}'*) ours= ;; esac
done </etc/environment
if [ -s $s/environment ] || [ "$kept" != "$old" ]; then
  kept="$kept${environmentBegin}$newline"
  while IFS= read -r line; do kept=$kept$line$newline; done <$s/environment
  kept="$kept${environmentEnd}$newline"
  [ "$kept" = "$old" ] || printf %s "$kept" >/etc/environment
fi
if [ -s $s/multiline.sh ]; then
  mv -f $s/multiline.sh ${multilineFile}
  # Bash reads this one, not BASH_ENV, for a command that comes by SSH.
  [ ! -f /etc/bash.bashrc ] || grep -q '${multilineFile}' /etc/bash.bashrc || sed -i '1i ${sourceMultiline}' /etc/bash.bashrc
else
  rm -f ${multilineFile}
fi
if [ -f /etc/profile ] && [ ! -e ${loginHook} ]; then
  mkdir -p /etc/profile.d
  echo '${sourceLogin}' >${loginHook}
fi
[ ! -e /etc/profile.d/berth.sh ] || rm -f /etc/profile.d/berth.sh
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
cd ${homeFolder}
while IFS= read -r dir; do [ -d "$dir" ] || mkdir -m 700 -- "$dir" || true; done <${berthDirectory}/stage/home-directories
umask 0
${unpack}
unpack ${berthDirectory}/stage/home.tar ${homeFolder}
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
mv -f $s/host_key $s/authorized_keys $s/sshd_config $s/env $s/env-plain $s/login.sh $d/
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
${users}${home}${volumes}${environment}${files}${hand}`;

/** The files that the script said it could not write, each with the reason. */
export function notWrittenOf(lines: readonly string[]): string[] {
  return lines
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
