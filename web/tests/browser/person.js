/** Somebody with a browser: Chromium without a screen, and what must never happen in it. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

const AXE = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

/** Longest wait for anything, milliseconds. */
export const PATIENCE = 20_000;

/** Begins with a browser; `finish` ends it and says what went wrong in it meanwhile. */
export async function person(origin) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking', '--no-first-run'],
  });
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const wrong = [];
  const requests = [];
  await page.addInitScript(() => {
    globalThis.addEventListener('securitypolicyviolation', (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
  });
  page.on('console', (message) => {
    if (message.type() === 'error') wrong.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => wrong.push(`script: ${error.message}`));
  page.on('request', (request) => {
    requests.push(request.url());
    if (!/^(data|blob):/.test(request.url()) && new URL(request.url()).origin !== origin) wrong.push(`another host: ${request.url()}`);
  });
  return { browser, context, page, wrong, requests };
}

/** Panics unless a page is readable: rules of WCAG in both themes, nothing wider than the screen at 360 px. */
export async function checkReadable(page, what) {
  for (const [theme, width] of [['light', 1440], ['dark', 360], ['dark', 1440], ['light', 360]]) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    await page.setViewportSize({ width, height: 800 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    if (wide > width) throw new Error(`${what}: ${wide} px wide on a screen of ${width}`);
    // Not by a script element: the page's policy lets none in.
    await page.evaluate(AXE);
    const violations = await page.evaluate(async () => {
      const found = await globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] });
      return found.violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`);
    });
    if (violations.length > 0) throw new Error(`${what}, ${theme}, ${width} px: ${violations.join('\n')}`);
  }
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  await page.setViewportSize({ width: 1440, height: 900 });
}
