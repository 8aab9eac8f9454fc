/**
 * Every limit of the library has a test that trips it: see README.md beside this file.
 */
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { limitTables, straysWithLimits } from '../support/limits.ts';
import { filesBelow, read } from '../support/repository.ts';

/** A call of tripsLimit. */
interface Claim {
  readonly file: string;
  readonly name: string;
  /** What is wrong with the call itself. */
  readonly problem: string | undefined;
}

/** Whether a call begins a test: `it(…)`, `it.skipIf(…)(…)`, `it.each(…)(…)`. */
function isTest(node: ts.Node): boolean {
  if (!ts.isCallExpression(node)) return false;
  let callee: ts.Expression = node.expression;
  while (ts.isCallExpression(callee) || ts.isPropertyAccessExpression(callee)) callee = callee.expression;
  return ts.isIdentifier(callee) && (callee.text === 'it' || callee.text === 'test');
}

/** The test whose body a node stands in. */
function testAround(node: ts.Node): ts.Node | undefined {
  let inner: ts.Node = node;
  for (let outer = node.parent as ts.Node | undefined; outer !== undefined; inner = outer, outer = outer.parent) {
    if (isTest(outer) && ts.isFunctionLike(inner)) return outer;
  }
  return undefined;
}

function claimsOf(file: string): Claim[] {
  const text = read(file);
  if (!text.includes('tripsLimit(')) return [];
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const claims: Claim[] = [];
  const calls: [number, number][] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'tripsLimit') {
      calls.push([node.getStart(), node.end]);
      const inTest = testAround(node) !== undefined;
      for (const argument of node.arguments) {
        const name = ts.isStringLiteral(argument) ? argument.text : argument.getText();
        const problem = !ts.isStringLiteral(argument) ? 'is no literal' : inTest ? undefined : 'stands in no test';
        claims.push({ file, name, problem });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  const rest = calls.reduceRight((left, [start, end]) => left.slice(0, start) + left.slice(end), text);
  return claims.map((claim) => {
    const mentioned = new RegExp(`\\b${claim.name.replace(/^.*\./, '')}\\b`).test(rest);
    return claim.problem !== undefined || mentioned ? claim : { ...claim, problem: 'is not mentioned besides' };
  });
}

const claims = filesBelow('test', '.test.ts')
  .filter((file) => path.posix.basename(file) !== 'coverage.test.ts')
  .flatMap(claimsOf);

describe('limits', () => {
  it('are all tripped by a test', async () => {
    const tables = await limitTables();
    const all = [...tables].flatMap(([table, limits]) => Object.keys(limits).map((limit) => `${table}.${limit}`));
    const claimed = new Set(claims.map((claim) => claim.name));
    expect(all.length).toBeGreaterThan(70);
    expect(all.filter((name) => !claimed.has(name))).toEqual([]);
  });

  it('are claimed by their right names, in the bodies of tests that speak of them', async () => {
    const tables = await limitTables();
    const wrong = claims.flatMap(({ file, name, problem }) => {
      const [table = '', limit = ''] = name.split('.');
      const known = Object.hasOwn(tables.get(table) ?? {}, limit);
      const fault = problem ?? (known ? undefined : 'is no limit of the library');
      return fault === undefined ? [] : [`${file}: ${name} ${fault}`];
    });
    expect(wrong).toEqual([]);
  });

  it('stand in files called limits.ts, where they are found', () => {
    expect(straysWithLimits()).toEqual([]);
  });

  it('say what they count, from when on, and what for', async () => {
    const tables = await limitTables();
    for (const [table, limits] of tables) {
      for (const [name, { unit, default: value, answers }] of Object.entries(limits)) {
        expect(['bytes', 'milliseconds', 'count', 'bytes/second'], `${table}.${name}`).toContain(unit);
        expect(value, `${table}.${name}`).toBeGreaterThanOrEqual(0);
        expect(answers.length, `${table}.${name}`).toBeGreaterThan(10);
      }
    }
  });
});
