/**
 * The script for zsh: a completion function, to be found by compinit or to be sourced behind it.
 *
 * @module
 */
import { meaning } from '../option-table.ts';
import type { OptionRow } from '../option-table.ts';
import type { CompletedCommand, Completion } from './model.ts';
import { completionOf, spellingsOf } from './model.ts';

/** The script, without its last line end. */
export function zshScript(commands: readonly CompletedCommand[]): string {
  return `#compdef hface-ts
# hface-ts: completion for zsh. Made by: hface-ts completion zsh
_hface_ts() {
  local -a commands
  commands=(
${commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe -t commands command commands
    _arguments '--help[the commands]' '--version[the version]'
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${commands.map(caseOf).join('\n')}
    help)
      _describe -t commands command commands
      ;;
  esac
}
if [[ $funcstack[1] == _hface_ts ]]; then
  _hface_ts "$@"
else
  compdef _hface_ts hface-ts
fi`;
}

function caseOf({ name, options, words }: CompletedCommand): string {
  const specifications = [...options.map(specification), quoted(`*:${argument('word', words)}`)];
  return [
    `    ${name})`,
    '      _arguments -s -S \\',
    specifications.map((line) => `        ${line}`).join(' \\\n'),
    '      ;;',
  ].join('\n');
}

/** `'(-p --port)'{-p+,--port=}'[what it is]:PORT: '` */
function specification(row: OptionRow): string {
  const text = `[${meaning(row).replaceAll(/[[\]\\]/g, '\\$&')}]`;
  const value = row.kind === 'flag' ? '' : `:${argument(row.value, completionOf(row))}`;
  const spellings = spellingsOf(row).map((spelling) => {
    if (row.kind === 'flag') return spelling;
    return spelling.startsWith('--') ? `${spelling}=` : `${spelling}+`;
  });
  const names = spellings.length === 1 ? quoted(spellings[0] ?? '') : `{${spellings.map(quoted).join(',')}}`;
  const once = row.kind === 'list' ? quoted('*') : quoted(`(${spellingsOf(row).join(' ')})`);
  return `${once}${names}${quoted(text + value)}`;
}

/** What a value is called, and what it is completed by. */
function argument(name: string, completion: Completion): string {
  const message = name.replaceAll(/[:\\]/g, '\\$&');
  if (completion === 'files') return `${message}:_files`;
  if (completion === 'folders') return `${message}:_files -/`;
  return completion === 'nothing' ? `${message}: ` : `${message}:(${completion.join(' ')})`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
