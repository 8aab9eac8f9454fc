/**
 * The script for bash, from 3.2 on.
 *
 * Owns its text: one function with a table of the commands. bash cuts `--option=value` into three words, and the file
 * names that are found are quoted by it where it can be told that they are files.
 *
 * @module
 */
import type { CompletedCommand, Completion } from './model.ts';
import { completionOf, spellingsOf } from './model.ts';

/** The script, without its last line end. */
export function bashScript(commands: readonly CompletedCommand[]): string {
  const names = commands.map(({ name }) => name);
  return `# hface-ts: completion for bash. Made by: hface-ts completion bash
_hface_ts() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} command=\${COMP_WORDS[1]}
  local options='' found='' kind=words line
  COMPREPLY=()
  if [[ $current == '=' ]]; then
    current=''
  elif [[ $previous == '=' ]]; then
    previous=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  if [[ $COMP_CWORD -eq 1 ]]; then
    found='${[...names, 'help', '--help', '--version'].join(' ')}'
  else
    case $command in
${commands.map(caseOf).join('\n')}
      help)
        found='${names.join(' ')}'
        ;;
    esac
    if [[ $current == -* ]]; then
      kind=words found=$options
    fi
  fi
  case $kind in
    words) line=$(compgen -W "$found" -- "$current") ;;
    files) line=$(compgen -f -- "$current") ;;
    folders) line=$(compgen -d -- "$current") ;;
  esac
  if [[ $kind != words ]]; then
    compopt -o filenames -o default 2> /dev/null
  fi
  [[ -n $line ]] || return 0
  while IFS= read -r found; do
    COMPREPLY+=("$found")
  done <<< "$line"
}
complete -F _hface_ts hface-ts`;
}

function caseOf({ name, options, words }: CompletedCommand): string {
  const byCompletion = new Map<string, string[]>();
  for (const row of options) {
    if (row.kind === 'flag') continue;
    const assignment = assigned(completionOf(row));
    byCompletion.set(assignment, [...(byCompletion.get(assignment) ?? []), ...spellingsOf(row)]);
  }
  const cases = [...byCompletion].map(
    ([assignment, spellings]) => `          ${spellings.map(quoted).join(' | ')}) ${assignment} ;;`,
  );
  const all = options.flatMap(spellingsOf).join(' ');
  return [
    `      ${name})`,
    `        options=${quoted(all)}`,
    '        case $previous in',
    ...cases,
    `          *) ${assigned(words)} ;;`,
    '        esac',
    '        ;;',
  ].join('\n');
}

function assigned(completion: Completion): string {
  if (completion === 'files' || completion === 'folders') return `kind=${completion}`;
  return `found=${quoted(completion === 'nothing' ? '' : completion.join(' '))}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
