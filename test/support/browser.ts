import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright-core'

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** The browser of this machine; a run that must have one fails without it, others say so and skip. */
export const browserPath = [process.env['DBKIT_CHROMIUM'] ?? '', ...PLACES].find(
  (path) => path !== '' && existsSync(path),
)

if (browserPath === undefined && process.env['DBKIT_REQUIRE_BROWSER'] === '1')
  throw new Error(
    `no browser in ${PLACES.join(', ')}, and DBKIT_REQUIRE_BROWSER is set: apt-get install chromium`,
  )

export const WITHOUT_BROWSER = `no Chromium in ${PLACES.join(', ')} (DBKIT_CHROMIUM names another)`

/** Without any network of its own, and as root, as CI is. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: browserPath ?? '',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
