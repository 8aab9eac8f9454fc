import { OptionValues } from '../../../cli/option-values.ts';
import type { CommandDescription } from '../../../cli/option-table.ts';
import { parseCommand } from '../../../cli/parse-command.ts';
import { TestContext } from './test-context.ts';

/** The values of a command line that asks for no help. */
export async function valuesOf(description: CommandDescription, ...words: string[]): Promise<OptionValues> {
  const values = await parseCommand(words, description, new TestContext());
  if (values instanceof OptionValues) return values;
  throw new Error('help was asked for');
}
