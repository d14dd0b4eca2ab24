import type { CompletionNode, CompletionWord } from './completion-tree.ts';

/** Shells that can be served. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
/** One of {@link SHELLS}. */
export type Shell = (typeof SHELLS)[number];

/** The script that makes a shell complete the command. */
export function completionScript(shell: Shell, nodes: readonly CompletionNode[]): string {
  return { bash, zsh, fish }[shell](nodes);
}

/** Finds the longest path of subcommands among the words so far, for the two shells of one family. (zsh has its own use for `path`.) */
function pathLoop(nodes: readonly CompletionNode[], words: string): string {
  const paths = nodes.flatMap(({ path }) => (path === '' ? [] : [`'${path}'`]));
  return `  local at='' next word
  for word in ${words}; do
    next="\${at:+$at }$word"
    case "$next" in
      ${paths.join(' | ')}) at="$next" ;;
    esac
  done`;
}

/** Options only once a dash is typed; files where nothing else fits. */
function bash(nodes: readonly CompletionNode[]): string {
  const cases = nodes.map(({ path, words, options }) => `    '${path}') words='${texts(words)}' options='${texts(options)}' ;;`);
  return `# Completion of isthmus for bash. To use it:  source <(isthmus completion bash)
_isthmus() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words='' options=''
${pathLoop(nodes, `"\${COMP_WORDS[@]:1:COMP_CWORD-1}"`)}
  case "$at" in
${cases.join('\n')}
  esac
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$options" -- "$current")) ;;
    *) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
  esac
}
complete -o default -F _isthmus isthmus
`;
}

function zsh(nodes: readonly CompletionNode[]): string {
  const described = (all: readonly CompletionWord[]): string => all.map((word) => `${quoted(zshWord(word))}`).join(' ');
  const cases = nodes.map(({ path, words, options }) => `    '${path}') choices=(${described(words)}) flags=(${described(options)}) ;;`);
  return `#compdef isthmus
# Completion of isthmus for zsh. To use it:  source <(isthmus completion zsh)
_isthmus() {
  local -a choices flags
${pathLoop(nodes, `"\${(@)words[2,CURRENT-1]}"`)}
  case "$at" in
${cases.join('\n')}
  esac
  if [[ "$words[CURRENT]" == -* ]]; then
    _describe option flags
  elif (( \${#choices} )); then
    _describe command choices
  else
    _files
  fi
}
compdef _isthmus isthmus
`;
}

function fish(nodes: readonly CompletionNode[]): string {
  const paths = nodes.flatMap(({ path }) => (path === '' ? [] : [`'${path}'`]));
  const lines = nodes.flatMap(({ path, words, options }) => {
    const at = `complete -c isthmus -n "__isthmus_at '${path}'"`;
    return [
      ...words.map(({ text, meaning }) => `${at} -f -a ${text} -d ${quoted(meaning)}`),
      ...options.map(({ text, meaning }) => `${at} -l ${text.slice(2)} -d ${quoted(meaning)}`),
    ];
  });
  return `# Completion of isthmus for fish. To use it:  isthmus completion fish | source
function __isthmus_at
  set -l at ''
  for word in (commandline -opc)[2..-1]
    set -l next (string trim "$at $word")
    contains -- "$next" ${paths.join(' ')}; and set at "$next"
  end
  test "$at" = "$argv[1]"
end
${lines.join('\n')}
`;
}

function texts(words: readonly CompletionWord[]): string {
  return words.map(({ text }) => text).join(' ');
}

/** In `_describe` a colon parts the word from its meaning. */
function zshWord({ text, meaning }: CompletionWord): string {
  return `${text.replaceAll(':', '\\:')}${meaning === '' ? '' : `:${meaning}`}`;
}

/** A text in single quotes, for all three shells. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
