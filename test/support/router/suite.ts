import { canRunRouters, startTestRouter, type TestRouter } from './test-router.js'

/** The routers of a suite's tests. */
export interface SuiteRouters {
  /** Starts one, which ends after the test. */
  start: typeof startTestRouter
  /** Ends those that were started. */
  stop(): Promise<void>
}

/** Leaves the tests of a suite out where no router can run, and stops after each what it has started. */
export function withRouters(): SuiteRouters {
  const routers: TestRouter[] = []
  const stop = async () => {
    await Promise.all(routers.splice(0).map((router) => router.stop()))
  }
  before(function () {
    if (!canRunRouters()) this.skip()
  })
  afterEach(stop)
  return {
    start: async (...given) => {
      const router = await startTestRouter(...given)
      routers.push(router)
      return router
    },
    stop,
  }
}
