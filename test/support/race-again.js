// The chaos tests race processes, servers and signals against one another in real time; on a machine that stalls for seconds a race can
// go the way it was not set up to. What is wrong is wrong again: such a test gets two more tries, and says that it took them.
import { expect, jest } from '@jest/globals'

if (/[\\/]test[\\/]chaos[\\/]/.test(expect.getState().testPath ?? ''))
  jest.retryTimes(2, { logErrorsBeforeRetry: true })
