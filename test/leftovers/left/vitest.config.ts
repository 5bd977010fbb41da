import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['times-out.ts'],
    root: import.meta.dirname,
    setupFiles: ['../end.ts'],
    disableConsoleIntercept: true,
  },
});
