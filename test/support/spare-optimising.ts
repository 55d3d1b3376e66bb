import { spareOptimising } from '../../src/database/wasm-budget.js'

// As dbkit does before it starts an engine: many tests start one of their own.
spareOptimising()
