/**
 * The choice among stored codings of a file (RFC 9110 section 12.5.3).
 *
 * Owns reading Accept-Encoding. The client's weights decide, then our order: the first coding offered wins a tie, and
 * plain bytes lose one unless the client weighs them itself.
 *
 * @module
 */

/** The best of the codings offered, or `undefined` for plain bytes. */
export function chooseCoding<Coding extends string>(
  field: string | null,
  offered: readonly Coding[],
): Coding | undefined {
  if (field === null || field.length > MAX_LENGTH) return undefined;
  const weights = parseWeights(field);
  const any = weights.get('*');
  let best: Coding | undefined;
  // Plain bytes are acceptable even when they are not named, but only as a last resort.
  let bestWeight = weights.get('identity') ?? 0;
  for (const coding of offered) {
    const weight = weights.get(coding) ?? any ?? 0;
    const wins = best === undefined ? weight > 0 && weight >= bestWeight : weight > bestWeight;
    if (wins) {
      best = coding;
      bestWeight = weight;
    }
  }
  return best;
}

/** Each coding with its weight, 0 to 1; what is malformed is skipped. */
function parseWeights(field: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const member of field.split(',')) {
    const match = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?:[ \t]*;[ \t]*[qQ]=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?$/.exec(
      member.trim(),
    );
    if (match === null) continue;
    const name = (match[1] as string).toLowerCase();
    const coding = name === 'x-gzip' ? 'gzip' : name;
    if (!weights.has(coding)) weights.set(coding, match[2] === undefined ? 1 : Number(match[2]));
  }
  return weights;
}

const MAX_LENGTH = 1024;
