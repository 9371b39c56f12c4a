import { tmpdir } from "node:os"
import { join } from "node:path"
import { defineConfig } from "vitest/config"

export default defineConfig({
  // The tests in the documentation import "hawser"; as with `npm run example`, that is the sources.
  ssr: { resolve: { conditions: ["hawser-source", "node", "import", "module", "default"] } },
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/peers/**"],
    // Of two cores Vitest would use one. A machine that others work on needs patience besides.
    maxWorkers: 2,
    // The programs that tests start take half the time when their code was compiled by an earlier one.
    env: { NODE_COMPILE_CACHE: join(tmpdir(), "hawser-compile-cache") },
    testTimeout: 20_000,
    coverage: { include: ["src/**/*.ts"] }
  }
})
