/**
 * The project's own lint rules, gathered for eslint.config.js.
 *
 * @module
 */
import { layersRule } from './layers.js';
import { maxMethodsRule } from './max-methods.js';

/** @type {import('eslint').ESLint.Plugin} */
export const hface = {
  meta: { name: 'hface' },
  rules: { layers: layersRule, 'max-methods': maxMethodsRule },
};
