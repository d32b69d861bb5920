/** The scripts of `berth completion SHELL`: each asks `berth __complete` for every Tab. */

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

const bash = `# berth completion for bash
_berth() {
  local words=("\${COMP_WORDS[@]:1:COMP_CWORD}") line
  # Colons split words in bash: put them together again.
  if declare -F _get_comp_words_by_ref >/dev/null; then
    local cur prev all cword
    _get_comp_words_by_ref -n : -c cur -p prev -w all -i cword
    words=("\${all[@]:1:cword}")
  fi
  COMPREPLY=()
  while IFS= read -r line; do COMPREPLY+=("$line"); done < <(berth __complete -- "\${words[@]}" 2>/dev/null)
  [[ \${COMPREPLY[*]} == *: ]] && compopt -o nospace
  if declare -F __ltrim_colon_completions >/dev/null; then __ltrim_colon_completions "\${words[\${#words[@]}-1]}"; fi
}
complete -o default -F _berth berth`;

const zsh = `#compdef berth
# berth completion for zsh
_berth() {
  local -a found
  found=("\${(@f)$(berth __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  found=("\${(@)found:#}")
  if (( \${#found} )); then
    compadd -Q -S '' -- "\${(@M)found:#*:}"
    compadd -Q -- "\${(@)found:#*:}"
  fi
  _files
}
if [[ $funcstack[1] == _berth ]]; then _berth "$@"; else compdef _berth berth; fi`;

const fish = `# berth completion for fish
function __berth_complete
  set -l words (commandline -opc)[2..-1] (commandline -ct)
  berth __complete -- $words 2>/dev/null
end
complete -c berth -a '(__berth_complete)'`;

const scripts: Record<Shell, string> = { bash, zsh, fish };

/** To be read by that shell when it starts. */
export function completionScript(shell: Shell): string {
  return scripts[shell];
}
