/**
 * What runs in a container besides the user's programs: the init of a workspace and the front of every exec.
 * All of it is constant text for the busybox of the tools; input reaches it as files, arguments or variables.
 */

export const berthDirectory = '/run/berth';
export const toolsDirectory = '/.berth';
export const shell = `${toolsDirectory}/busybox/sh`;

/** Printed with the outcome, 0 or 1, when what came by standard input was put in. */
export const configuredMark = 'berth: configured ';

/**
 * Child of tini; `configure` lies beside it. Blocks until its input has come: on standard input, which takes no
 * more than a write, or by an exec, which then tells by the pipe `go`. From then on it keeps sshd running. On TERM it
 * ends everybody else first: TERM to all, HUP to what has a terminal because interactive shells ignore TERM, then waits
 * until they are gone; whoever comes late gets the same. sshd is the last, so that those who are connected hear what
 * the others print at their end, and no program gets SIGPIPE because its SSH connection closed first: sshd has a second
 * to pass on their output, and no longer, even if programs remain. The engine kills what is left when its grace is over.
 * (Field 7 of /proc/PID/stat is the terminal; the name before may hold spaces. Whose program a process of another user
 * runs can't be read here, its name can.)
 */
export const initScript = `
d=${berthDirectory}
mkdir -p $d/exec && chmod 1777 $d/exec
mkfifo -m 600 $d/go 2>/dev/null
stop() {
  trap '' TERM INT HUP
  seen=" 1 $$ " rounds=0 calm=0 last=
  while set -- /proc/[0-9]*; [ $# -gt 2 ]; do
    new= left= sessions=
    for p; do
      p=\${p#/proc/}
      case "$p" in 1|$$) continue ;; esac
      if [ -z "$last" ] && is_sshd "$p"; then
        [ "$p" = "$sshd" ] || sessions=yes
        continue
      fi
      left=yes
      case "$seen" in *" $p "*) ;; *) new="$new$p " ;; esac
    done
    if [ -n "$new" ]; then
      seen="$seen$new"
      kill -TERM $new; kill -CONT $new
      kill -HUP $(for p in $new; do cat /proc/$p/stat; done |
        awk '{ pid = $1; sub(/^.*\\) /, ""); if ($5 != 0) print pid }')
    fi 2>/dev/null
    rounds=$((rounds + 1))
    if [ -z "$left" ]; then
      calm=$((calm + 1))
      [ -n "$sessions" ] && [ $calm -lt 20 ] || { last=yes; continue; }
    fi
    [ $rounds -lt 60 ] || last=yes
    sleep 0.05
  done
  exit 0
}
is_sshd() {
  read -r comm <"/proc/$1/comm" || return 1
  case "$comm" in sshd*) ;; *) return 1 ;; esac
} 2>/dev/null
trap stop TERM INT
exec 3<&0 </dev/null
cat <&3 3<&- >$d/input & echo $! >$d/reader
exec 3<&-
wait $!
rm -f $d/reader
if [ -s $d/input ]; then
  if said=$(${shell} "\${0%/*}/configure" <$d/input 2>&1); then : >$d/configured; fi
  echo "\${said:+$said
}${configuredMark}$([ -e $d/configured ]; echo $?)"
fi
rm -f $d/input
if [ ! -e $d/configured ]; then
  cat $d/go >/dev/null & wait $!
  : >$d/configured
fi
while :; do
  ${toolsDirectory}/bin/sshd -D -e -f $d/sshd_config & sshd=$!
  wait $sshd
  echo "berth: sshd ended with code $?, starting it again" >&2
  sleep 1 & wait $!
done
`;

/** Succeeds in one whose init has got what it waits for at each start. */
export const isConfiguredCommand: string[] = [shell, '-c', `[ -e ${berthDirectory}/configured ]`];

/** What the shell of a front has values of its own for, which it would export. */
const namesOfShell: readonly string[] = ['IFS', 'OLDPWD', 'OPTIND', 'PPID', 'PWD', 'SHLVL'];

/** The name by which a variable of a command comes to the front, which gives it its own in the end. */
export const nameForFront = (name: string): string =>
  namesOfShell.includes(name) ? `BERTH_OWN_${name}` : name;

/**
 * In front of a command: notes its process id under the exec's id (so that it can be ended), sets the terminal's
 * size, goes where it starts if that is there, and gives it the environment of a login except for the names in BERTH_GIVEN,
 * which came with the exec: what is for its user's eyes, then who the user is by /etc/passwd, whatever the image says.
 * As with every container, an empty HOME is the same as none. It looks for the program itself: busybox's shell would take its own before those of the image. A kind of terminal
 * that the image's terminfo does not know (xterm-kitty) becomes one that all know. What is set here has names that no
 * user's variable has: the shell would export the value of its own in its place. A text that says not what runs it is
 * one for the shell of the image, as everywhere: the shell here would take it for its own.
 */
const front = `
berth_d=${berthDirectory}
for berth_f in $berth_d/exec/*; do [ -d "/proc/\${berth_f##*/}" ] || rm -f "$berth_f" 2>/dev/null; done
echo "$BERTH_EXEC" >"$berth_d/exec/$$" 2>/dev/null
[ -z "$BERTH_TTY" ] || stty $BERTH_TTY 2>/dev/null
berth_given=" $BERTH_GIVEN "
[ -z "$BERTH_PREFERRED" ] || ! cd -- "$BERTH_PREFERRED" 2>/dev/null || unset OLDPWD
berth_user=\${BERTH_USER%%:*}
unset BERTH_EXEC BERTH_TTY BERTH_GIVEN BERTH_PREFERRED BERTH_USER
berth_set() {
  case "$berth_given" in *" $1 "*) return ;; esac
  berth_given="$berth_given$1 "
  case " ${namesOfShell.join(' ')} " in
    *" $1 "*) eval "BERTH_OWN_$1=\\$2" ;;
    *) export "$1=$2" ;;
  esac
}
for berth_f in $berth_d/env $berth_d/env-plain; do [ ! -r $berth_f ] || { . $berth_f; break; }; done
[ ! -r /etc/passwd ] || while IFS=: read -r berth_name berth_x berth_id berth_x berth_x berth_home berth_shell || [ -n "$berth_name" ]; do
  case "$berth_user" in "$berth_name" | "$berth_id") ;; *) continue ;; esac
  berth_set HOME "$berth_home"; [ -n "$HOME" ] || export "HOME=$berth_home"; berth_set SHELL "\${berth_shell:-/bin/sh}"
  berth_set USER "$berth_name"; berth_set LOGNAME "$berth_name"
  break
done </etc/passwd
berth_terminal() {
  case "$TERM" in
    dumb) return 0 ;;
    '' | *[!A-Za-z0-9._+-]*) return 1 ;;
  esac
  for berth_f in "$HOME/.terminfo" /etc/terminfo /lib/terminfo /usr/share/terminfo /usr/lib/terminfo; do
    [ ! -f "$berth_f/\${TERM%"\${TERM#?}"}/$TERM" ] || return 0
  done
  return 1
}
[ ! -t 0 ] || berth_terminal || export TERM=xterm-256color
berth_find() {
  local IFS=: berth_folder berth_path=\${PATH-/bin:/usr/bin}:
  set -f
  for berth_folder in $berth_path; do
    berth_program=\${berth_folder:-.}/$1
    [ ! -f "$berth_program" ] || [ ! -x "$berth_program" ] || return 0
  done
  return 1
}
berth_begin() {
  local berth_name="$1" berth_head=
  shift
  if [ -f "$berth_program" ] && [ -r "$berth_program" ]; then
    IFS= read -r -n 4 -d '' berth_head <"$berth_program"
  fi
  for berth_f in ${namesOfShell.join(' ')}; do
    unset "$berth_f"
    eval "[ -z \\"\\\${BERTH_OWN_$berth_f+set}\\" ] || export $berth_f=\\"\\$BERTH_OWN_$berth_f\\""
    unset "BERTH_OWN_$berth_f"
  done
  case "$berth_head" in
    '' | '#!'* | *[![:print:][:space:]]*) ;;
    *) [ ! -x "$berth_program" ] || exec /bin/sh "$berth_program" "$@" ;;
  esac
  exec -a "$berth_name" "$berth_program" "$@"
}
case "$1" in
  */*) berth_program=$1 ;;
  *) berth_find "$1" || { echo "$1: not found in PATH" >&2; exit 127; } ;;
esac
berth_begin "$@"
`;

export const execMarker = 'berth-exec';
export const execFront: readonly string[] = [shell, '-c', front, execMarker];

/**
 * Ends the exec \`$1\`: its session and everything below it, whatever user it runs as; hang-up and TERM first, KILL
 * after half a second. Field 6 of /proc/PID/stat is the session, 4 the parent; the name before them may hold spaces.
 */
const end = `
for f in ${berthDirectory}/exec/*; do
  [ "$(cat "$f" 2>/dev/null)" = "$1" ] && root=\${f##*/} && break
done
[ -n "$root" ] || exit 0
members() {
  cat /proc/[0-9]*/stat 2>/dev/null | awk -v root="$root" '
    { pid = $1; sub(/^.*\\) /, ""); if ($1 != "Z") { parent[pid] = $2; session[pid] = $4 } }
    END {
      for (pid in parent) if (pid == root || session[pid] == root) found[pid] = 1
      do {
        grown = 0
        for (pid in parent) if (!(pid in found) && (parent[pid] in found)) { found[pid] = 1; grown = 1 }
      } while (grown)
      for (pid in found) print pid
    }'
}
list=$(members)
[ -z "$list" ] || kill -HUP $list 2>/dev/null
[ -z "$list" ] || { kill -TERM $list; kill -CONT $list; } 2>/dev/null
for i in 1 2 3 4 5 6 7 8 9 10; do
  alive=
  for pid in $list; do [ -d /proc/$pid ] && alive="$alive $pid"; done
  [ -n "$alive" ] || break
  sleep 0.05
done
list="$alive $(members)"
kill -KILL $list 2>/dev/null
rm -f "$f"
exit 0
`;

/** The program that ends the command with that id and all that it started. */
export const endExecCommand = (id: string): string[] => [shell, '-c', end, 'berth-end', id];
