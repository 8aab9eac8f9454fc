// What the sources keep. The import table and the banned globals come from tools/layers.json. Comments that switch
// rules off have no effect (noInlineConfig): a rule that is wrong is changed here, for everybody.
import jsdoc from 'eslint-plugin-jsdoc';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { layers, restrictions } from './tools/eslint/layers.js';
import { hface } from './tools/eslint/plugin.js';

const engineLike = ['src/wire', 'src/crypto', 'src/tls', 'src/protocols', 'src/common'].map((folder) => `${folder}/**`);
const tables = ['**/*-table.ts', '**/*-tables.ts', '**/tables.ts', '**/table.ts', '**/generated/**'];

/** Syntax that stands nowhere in the sources. */
const everywhere = [
  {
    selector: "MemberExpression[object.name='process'][property.name='platform']",
    message: 'Only networking/ and cli/ read process.platform.',
  },
];
/** A clock read without saying so. */
const wallClock = {
  selector: "NewExpression[callee.name='Date'][arguments.length=0]",
  message: 'Time is handed in: take it from the Clock.',
};
/** An engine is synchronous. */
const synchronous = [
  { selector: ':function[async=true]', message: 'Engines are synchronous: events are pulled, never awaited.' },
  { selector: ':function[generator=true]', message: 'Engines do not suspend: no generators.' },
  { selector: 'TSTypeReference[typeName.name=/^Promise(Like)?$/]', message: 'Engines are synchronous: no promises.' },
];

export default defineConfig(
  {
    ignores: [
      'dist/**',
      'dist.*/**',
      'docs/api/**',
      'coverage/**',
      'test/vectors/**/*.js',
      'test/**/fixtures/**',
      'node_modules/**',
    ],
  },
  { linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'off' } },

  // TypeScript: types known to the linter.
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { hface, jsdoc },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      '@typescript-eslint/consistent-type-definitions': 'off',
      // Declarations of their own need the annotation on the field.
      '@typescript-eslint/consistent-generic-constructors': 'off',
      '@typescript-eslint/consistent-indexed-object-style': 'off',
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidOperator: true },
      ],
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      '@typescript-eslint/only-throw-error': ['error', { allowThrowingAny: true, allowThrowingUnknown: true }],
      '@typescript-eslint/prefer-promise-reject-errors': [
        'error',
        { allowThrowingAny: true, allowThrowingUnknown: true },
      ],
      '@typescript-eslint/prefer-nullish-coalescing': [
        'error',
        { ignorePrimitives: true, ignoreConditionalTests: true },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/unified-signatures': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/prefer-for-of': 'off',
      // What fetch/ has stands for the platform's classes, on purpose.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'all', caughtErrorsIgnorePattern: '^_' },
      ],
      eqeqeq: 'error',
      'no-restricted-syntax': ['error', ...everywhere],
      'no-console': 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'object-shorthand': 'error',
      'max-lines': ['error', { max: 500 }],
      'max-depth': ['error', 5],
    },
  },

  // The sources and the command line.
  {
    files: ['src/**/*.ts', 'cli/**/*.ts'],
    rules: {
      'hface/layers': 'error',
      'hface/max-methods': ['error', 25],
      'max-lines-per-function': ['error', { max: 80, skipBlankLines: true, skipComments: true }],
      'jsdoc/require-jsdoc': [
        'error',
        {
          publicOnly: { esm: true, ancestorsOnly: true },
          // Methods that implement an interface are documented there; typedoc asks for those of the public classes.
          require: { ClassDeclaration: true },
          contexts: [
            'TSInterfaceDeclaration',
            'TSTypeAliasDeclaration',
            'ExportNamedDeclaration > VariableDeclaration',
          ],
        },
      ],
      'jsdoc/check-alignment': 'error',
      'jsdoc/no-types': 'error',
      'jsdoc/empty-tags': 'error',
    },
  },
  {
    files: ['src/**/index.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: 'Program > :not(ExportNamedDeclaration, ExportAllDeclaration, ImportDeclaration)',
          message: 'An index.ts only exports.',
        },
      ],
    },
  },
  // What each layer must do without.
  ...layers.rows
    .filter((row) => row.folder.startsWith('src/'))
    .map((row) => ({
      files: [`${row.folder}/**/*.ts`],
      rules: /** @type {import('eslint').Linter.RulesRecord} */ ({
        'no-restricted-globals': ['error', ...restrictions(row).globals],
        'no-restricted-properties': ['error', ...restrictions(row).properties],
        'no-restricted-syntax': [
          'error',
          ...(layers.platformReaders.includes(row.folder) ? [] : everywhere),
          wallClock,
          ...(row.sansIo && row.folder !== 'src/common' ? synchronous : []),
        ],
      }),
    })),
  {
    files: layers.systemClock,
    rules: { 'no-restricted-globals': 'off', 'no-restricted-properties': 'off', 'no-restricted-syntax': 'off' },
  },
  // The standard's members, as the standard has them: getters, and forms too.
  {
    files: ['src/fetch/**/*.ts', 'test/unit/fetch/**/*.ts'],
    rules: {
      '@typescript-eslint/class-literal-property-style': 'off',
      '@typescript-eslint/no-deprecated': 'off',
      // Apps in plain JavaScript may give anything.
      '@typescript-eslint/no-unnecessary-type-conversion': 'off',
    },
  },
  // Byte code reads positions that it has bounded itself.
  { files: engineLike, rules: { '@typescript-eslint/no-non-null-assertion': 'off' } },
  // The engines' contract alone has 28 methods.
  { files: ['src/protocols/**/*.ts', 'src/engines/**/*.ts'], rules: { 'hface/max-methods': ['error', 30] } },
  { files: tables, rules: { 'max-lines': 'off', 'max-lines-per-function': 'off' } },
  { files: ['cli/**/*.ts'], rules: { 'no-restricted-syntax': 'off' } },

  // Tests and benchmarks.
  {
    files: ['test/**/*.ts', 'bench/**/*.ts', 'examples/**/*.ts', '*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: 'MemberExpression[object.name=/^(it|test|describe)$/][property.name=/^(only|skip|todo|fails)$/]',
          message: 'Tests run. Where a peer is missing use skipIf, so that the skip is counted.',
        },
      ],
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/unbound-method': 'off',
      'max-lines': ['error', { max: 800 }],
    },
  },
  { files: ['bench/**/*.ts', 'examples/**/*.ts', 'test/support/**/*.ts'], rules: { 'no-console': 'off' } },

  // Plain JavaScript: tools, examples and configuration. tsconfig.js.json checks their types.
  {
    files: ['**/*.js'],
    extends: [tseslint.configs.recommended],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'process',
          'console',
          'URL',
          'Buffer',
          'setTimeout',
          'clearTimeout',
          'fetch',
          'Request',
          'Response',
          'ReadableStream',
          'TextEncoder',
          'TextDecoder',
          'AbortController',
          'AbortSignal',
          'performance',
        ].map((name) => [name, 'readonly']),
      ),
    },
    rules: {
      eqeqeq: 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'object-shorthand': 'error',
      'max-lines': ['error', { max: 500 }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
);
