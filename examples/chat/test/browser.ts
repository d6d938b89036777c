/** Real pages, in the Chromium that tools/programs.mjs finds. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';

const finder = fileURLToPath(new URL('../../../tools/programs.mjs', import.meta.url));

/** Milliseconds: stands for "hangs", also on a machine that others keep busy. */
const timeout = 60_000;

/** @throws Error that says what to install */
export function launch(): Promise<Browser> {
  const { stdout, stderr, status } = spawnSync(process.execPath, [finder, 'chromium'], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  const args = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];
  return chromium.launch({ executablePath: stdout.trim(), args, timeout });
}

export async function newPage(browser: Browser): Promise<Page> {
  const page = await browser.newPage();
  page.setDefaultTimeout(timeout);
  return page;
}

/** A page in the chat. Resolves once the server has said welcome by `expected`. */
export async function openChat(
  browser: Browser,
  url: string,
  expected: string,
): Promise<{ page: Page; problems: string[] }> {
  const page = await newPage(browser);
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('dialog', (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(url);
  await page.waitForSelector(`body[data-transport="${expected}"]`);
  return { page, problems };
}

export async function say(page: Page, text: string): Promise<void> {
  await page.fill('#text', text);
  await page.press('#text', 'Enter');
}

/** Resolves once a line of the log has exactly this message. */
export async function sees(page: Page, text: string): Promise<void> {
  await page.locator('#log .text').getByText(text, { exact: true }).waitFor();
}

export async function notices(page: Page, text: string): Promise<void> {
  await page.locator('#log .notice').getByText(text, { exact: true }).last().waitFor();
}
