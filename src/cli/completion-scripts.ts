/** What a shell runs to complete `crossfade`. They ask `crossfade __complete`, so that none of them has to know a command. */

const BASH = `# crossfade completion bash
_crossfade() {
  local cur=\${COMP_WORDS[COMP_CWORD]} line first kept=
  COMPREPLY=()
  # What readline takes for a word ends at : and =, so what stands before them in the same word is not for it to replace.
  while IFS=$'\\t' read -r line _; do
    if [[ $line == :files ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r first; do COMPREPLY+=("$first"); done < <(compgen -f -- "$cur")
      return
    fi
    [[ $line == *=* && \${COMP_WORDBREAKS} == *=* ]] && kept=\${line%%=*}=
    COMPREPLY+=("\${line#"$kept"}")
  done < <("$1" __complete --line "\${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
}
complete -F _crossfade crossfade`;

const ZSH = `#compdef crossfade
# crossfade completion zsh
_crossfade() {
  local -a found
  local text what
  while IFS=$'\\t' read -r text what; do
    if [[ $text == :files ]]; then
      _files
      return
    fi
    found+=("\${text//:/\\\\:}:$what")
  done < <("\${(Q)words[1]}" __complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)
  _describe crossfade found
}
# A file of fpath is this function's body at the first call; whoever sources the script says what it is for.
if [[ \${funcstack[1]} == _crossfade ]]; then
  _crossfade "$@"
else
  compdef _crossfade crossfade
fi`;

const FISH = `# crossfade completion fish
function __crossfade_complete
    set -l typed (commandline -opc)
    set -l found ($typed[1] __complete -- $typed[2..-1] (commandline -ct) 2>/dev/null)
    if test "$found[1]" = :files
        __fish_complete_path (commandline -ct)
    else
        printf '%s\\n' $found
    end
end
complete -c crossfade -f -a '(__crossfade_complete)'`;

export const SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH } as const;

export type Shell = keyof typeof SCRIPTS;
