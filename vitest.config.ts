import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    setupFiles: ['test/support/setup.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000, // a folder of packages is slow to remove on a busy machine
    coverage: {
      provider: 'custom',
      customProviderModule: './test/support/coverage.ts', // with the coverage of the services that tests start
      include: ['src/**/*.ts'],
      thresholds: { lines: 95, branches: 95 },
    },
    projects: [
      {
        extends: true,
        test: {
          name: 'all',
          include: ['src/**/*.spec.ts', 'test/**/*.spec.ts', 'examples/**/*.spec.ts'],
        },
      },
      {
        // The same behaviours once more, with every line sent through Nest's pipeline (test/support/dispatch.ts).
        extends: true,
        test: {
          name: 'pipeline',
          include: ['test/transport/**/*.spec.ts', 'examples/*/*.spec.ts'],
          // No line of theirs is served by a LineServer, or they ask for both ways themselves.
          exclude: [
            ...configDefaults.exclude,
            'test/transport/{client,direct}-*.spec.ts',
            'test/transport/fairness.spec.ts',
          ],
          env: { LINE_DISPATCH: 'pipeline' },
        },
      },
    ],
  },
});
