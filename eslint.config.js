import reactHooks from 'eslint-plugin-react-hooks';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/**
 * The floors of docs/architecture.md, lowest first: a floor may import from those before it and from
 * itself. `ui` and `cli` stand side by side on top.
 */
const FLOORS = [
  'fields',
  'gpu',
  'kernels',
  'llama',
  'formats',
  'storage',
  'data',
  'training',
  'evaluation',
  'retraining',
  'pruning',
  'experiment',
  'run',
  'bench',
  'report',
  'session',
  'cli',
  'ui',
];

/** Below the page: these run in a worker and in Node, so no DOM and no React. */
const ENGINE = FLOORS.slice(0, FLOORS.indexOf('session') + 1);
const PAGE_PACKAGES = [
  'react',
  'react-dom',
  'react/*',
  'react-dom/*',
  'zustand',
  'zustand/*',
  'radix-ui',
  'recharts',
];
const PAGE_GLOBALS = ['window', 'document', 'localStorage', 'sessionStorage', 'HTMLElement'];

/** A relative import from one of `floors`. */
const from = (floors) => `^\\.{1,2}/(.*/)?(${floors.join('|')})(/|$)`;

/** What a floor may not import besides what stands above it. */
const noGpu = (message) => ({ regex: from(['gpu', 'kernels']), allowTypeImports: true, message });
const ALSO_CLOSED = {
  formats: [noGpu('Files are read and written where no GPU is: only types may come from here.')],
  data: [noGpu('Text is read and drawn where no GPU is: only types may come from here.')],
  ui: [
    noGpu('The page speaks with the engine through src/session/protocol.ts: only types may come from here.'),
    { regex: from(['cli']), message: 'The page knows no command line.' },
  ],
};

const floorRules = FLOORS.map((floor, level) => {
  const above = FLOORS.slice(level + 1);
  const patterns = [...(ALSO_CLOSED[floor] ?? [])];
  if (above.length > 0) {
    patterns.push({
      regex: from(above),
      message: `src/${floor} may not import from ${above.join(', ')}: a floor uses only those under it.`,
    });
  }
  if (ENGINE.includes(floor)) {
    patterns.push({
      group: PAGE_PACKAGES,
      message: 'The engine runs in a worker and in Node, without React.',
    });
  }
  return {
    files: [`src/${floor}/**/*.{ts,tsx}`],
    rules: {
      '@typescript-eslint/no-restricted-imports': ['error', { patterns }],
      ...(ENGINE.includes(floor) && {
        'no-restricted-globals': [
          'error',
          ...PAGE_GLOBALS.map((name) => ({ name, message: 'The engine touches no DOM.' })),
        ],
      }),
      ...((floor === 'ui' || floor === 'cli') && {
        'no-restricted-syntax': [
          'error',
          {
            selector: 'TSTypeReference[typeName.name=/^GPU(Device|Buffer|Queue|ComputePipeline)$/]',
            message: 'Only the engine below src/session touches a GPUDevice.',
          },
        ],
      }),
    },
  };
});

export default defineConfig(
  {
    ignores: [
      'dist/',
      '.cache/',
      'node_modules/',
      'public/',
      'coverage/',
      'test-results/',
      'playwright-report/',
    ],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // Tests and interfaces are async where an implementation happens not to wait.
      '@typescript-eslint/require-await': 'off',
      // Records of functions are passed about and taken apart; none of them uses `this`.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/ban-ts-comment': ['error', { 'ts-ignore': true, 'ts-expect-error': true }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'prefer-const': 'error',
    },
  },
  {
    files: ['**/*.{js,mjs}'],
    extends: [tseslint.configs.recommended],
    rules: { eqeqeq: ['error', 'always', { null: 'ignore' }], 'prefer-const': 'error' },
  },
  { files: ['src/ui/**/*.{ts,tsx}', 'src/main.tsx'], ...reactHooks.configs.flat['recommended-latest'] },
  ...floorRules,
);
