/**
 * Compares the tests that were skipped with those that may be.
 *
 * @module
 */

/**
 * What differs, one line each.
 * @param {string} listed the text of .ci/skips.txt
 * @param {string[]} skipped what was skipped, as `STAGE | FILE > NAME`
 * @param {string[]} ran the stages that ran; lines of others are left out
 * @returns {string[]} lines that begin with + (skipped, not listed) or - (listed, not skipped)
 */
export function compareSkips(listed, skipped, ran) {
  const expected = listed
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#') && ran.includes(line.split(' | ', 1).join('')));
  return [
    ...skipped.filter((name) => !expected.includes(name)).map((name) => `+ ${name}`),
    ...expected.filter((name) => !skipped.includes(name)).map((name) => `- ${name}`),
  ];
}
