/**
 * A class with many methods has a second noun inside: a budget on methods per class. Getters are facts and do not count.
 *
 * @module
 */

/** @type {import('eslint').Rule.RuleModule} */
export const maxMethodsRule = {
  meta: {
    type: 'suggestion',
    docs: { description: 'Bound the number of methods of a class' },
    schema: [{ type: 'integer', minimum: 1 }],
    messages: { many: 'This class has {{count}} methods; at most {{max}} are allowed. Is there a second noun inside?' },
  },
  create(context) {
    const max = Number(context.options[0] ?? 25);
    return {
      ClassBody(node) {
        const count = node.body.filter(
          (member) => member.type === 'MethodDefinition' && (member.kind === 'method' || member.kind === 'set'),
        ).length;
        if (count > max) {
          context.report({ node, messageId: 'many', data: { count: String(count), max: String(max) } });
        }
      },
    };
  },
};
