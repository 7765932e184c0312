import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.spec.ts', 'test/**/*.spec.ts', 'examples/**/*.spec.ts'],
    setupFiles: ['test/support/setup.ts'],
    testTimeout: 20_000,
    coverage: {
      include: ['src/**/*.ts'],
      thresholds: { lines: 95, branches: 95 },
    },
  },
});
