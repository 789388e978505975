/**
 * A first day with the dashboard, in a real browser, against a real server: the printed link, a password, the projects, a deployment that
 * another person makes meanwhile, one that fails, variables, going back, and the end of the session.
 *
 * Arguments: origin, sign-in link, and the commands (JSON) with which the other person deploys a second version and one that fails.
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { checkReadable, person } from './person.js';

const run = promisify(execFile);
const [origin, link, second, failing] = process.argv.slice(2);
const other = ([program, ...rest]) => run(program, rest).catch((error) => error);

const { browser, context, page, wrong, requests } = await person(origin);
const heading = (name) => page.getByRole('heading', { name, exact: true });

async function visit(path, name) {
  await page.goto(origin + path);
  await heading(name).waitFor();
  await page.waitForLoadState('networkidle');
}

// Nobody is signed in: the dashboard leads to the sign-in page, the printed link past it.
await page.goto(`${origin}/`);
await page.waitForURL(/\/auth\/sign-in\?next=%2F/);
await page.goto(link);
await page.locator('input[type=password]').first().fill('correct horse battery staple');
await page.locator('button').first().click();
await heading('Projects').waitFor();
const team = new URL(page.url()).pathname.split('/')[2];
assert.match(team, /^team_/);

// What is deployed is there, and what another person deploys is seen without asking.
await page.getByRole('link', { name: 'site', exact: true }).waitFor();
await page.getByText('#1 production').waitFor();
await checkReadable(page, 'projects');
const before = requests.length;
await other(JSON.parse(second));
await page.getByText('#2 production').waitFor();
await page.getByRole('button', { name: 'Live' }).waitFor();
assert.ok(requests.length - before < 12, `${requests.length - before} requests for one deployment`);

// Idle, it asks for nothing.
const idle = requests.length;
await page.waitForTimeout(2_000);
assert.equal(requests.length, idle, 'requests while nothing happened');

// A deployment: steps, log, and the way back to it.
await page.getByRole('link', { name: 'site', exact: true }).click();
await page.getByRole('navigation', { name: 'Project' }).waitFor();
await page.getByText('since').first().waitFor();
await checkReadable(page, 'project');
await page.getByRole('link', { name: '#1 Replaced' }).click();
await page.getByText('in all').waitFor();
await page.locator('#L1').waitFor();
await checkReadable(page, 'deployment');
await page.getByRole('button', { name: 'Roll back to #1' }).click();
await page.getByRole('button', { name: 'Show #1', exact: true }).click();
await page.getByRole('heading', { name: 'site / #3' }).waitFor();
await page.getByText('Live', { exact: true }).first().waitFor();
assert.equal(await page.title(), 'site #3 live - MikroCloud');

// One that fails says why, and its log is kept whole: numbered from 1 without a gap.
const failed = other(JSON.parse(failing));
await page.goto(`${origin}/teams/${team}/projects`);
await page.getByText('Needs attention (1)').waitFor();
await failed;
await page.getByRole('button', { name: 'Failed' }).click();
await page.getByRole('alert').getByText('BUILD_FAILED').waitFor();
await page.getByText('this is the reason').first().waitFor();
await page.getByText('<img src=x onerror=alert(1)>').first().waitFor();
assert.equal(await page.locator('img').count(), 0);
await page.getByRole('searchbox', { name: 'Find in the log' }).fill('number 19999');
await page.getByText('1 found').waitFor();
await page.getByRole('searchbox', { name: 'Find in the log' }).press('Enter');
await page.locator('.log-line.found').getByText('number 19999').waitFor();
const rows = await page.locator('.log-line').count();
assert.ok(rows < 120, `${rows} lines in the page`);
const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download' }).click()]);
const chunks = [];
for await (const chunk of await download.createReadStream()) chunks.push(chunk);
const numbers = Buffer.concat(chunks).toString().split('\n').filter((line) => line.startsWith('number ')).map((line) => Number(line.slice(7)));
assert.deepEqual(numbers, Array.from({ length: 20_000 }, (_, index) => index + 1));
await checkReadable(page, 'failed deployment');

// Variables: gathered, saved at once, never shown.
await visit(`/teams/${team}/projects/site/variables`, 'site');
await page.getByText('No variables are set here.').waitFor();
await page.getByRole('button', { name: 'Paste a .env file' }).click();
await page.getByLabel('Contents of a .env file').fill('GREETING="good morning"\nTOKEN=s3cret-value');
await page.getByRole('button', { name: 'Take them' }).click();
await page.getByText('2 changes').waitFor();
await page.getByRole('button', { name: 'Save', exact: true }).click();
await page.getByText('Saved. It takes effect with the next deployment.').waitFor();
await page.getByRole('row', { name: /TOKEN set/ }).getByRole('button', { name: 'Unset' }).click();
await page.getByRole('button', { name: 'Save', exact: true }).click();
await page.getByRole('row', { name: /TOKEN/ }).waitFor({ state: 'detached' });
assert.ok(!(await page.content()).includes('s3cret-value'));
await checkReadable(page, 'variables');

// A wrong name of a domain is refused in words that help.
await visit(`/teams/${team}/projects/site/domains`, 'site');
await page.getByLabel('Name').fill('not a name');
await page.getByRole('button', { name: 'Add', exact: true }).click();
await page.getByRole('alert').waitFor();
await checkReadable(page, 'domains');

// A key is shown once; a schedule and a wrong one; somebody new gets a link.
await visit(`/teams/${team}/keys`, 'API keys');
await page.getByLabel('Name').fill('deploys');
await page.getByRole('checkbox', { name: 'deployment-write' }).check();
await page.getByRole('button', { name: 'Make it' }).click();
const key = await page.getByRole('status', { name: 'The key' }).locator('code').textContent();
assert.match(key, /^mck_/);
await page.getByRole('button', { name: 'I have kept it' }).click();
await page.getByText('deploys', { exact: true }).waitFor();
assert.ok(!(await page.content()).includes(key));
await visit(`/teams/${team}/projects/site/schedules`, 'site');
await page.getByLabel('Name').fill('nightly');
await page.getByLabel('When (cron)').fill('every night');
await page.getByRole('button', { name: 'Make it' }).click();
await page.getByRole('alert').waitFor();
await page.getByLabel('When (cron)').fill('0 3 * * *');
await page.getByRole('button', { name: 'Make it' }).click();
await page.getByText('0 3 * * *').waitFor();
await visit(`/teams/${team}/members`, 'Members');
await page.getByLabel('Address of somebody new').fill('ada@example.org');
await page.getByRole('button', { name: 'Add', exact: true }).click();
await page.getByText(/\/auth\/link\?token=/).waitFor();
await page.getByRole('button', { name: 'I have kept it' }).click();
await page.getByRole('combobox', { name: 'Role of ada' }).selectOption('VIEWER');
await page.getByText('Changed.').waitFor();

// What a cloud lacks is refused at its field, and the secret stays out of the page.
await visit(`/teams/${team}/clouds`, 'Clouds');
await page.getByRole('button', { name: 'Connect an account' }).click();
await page.getByRole('combobox', { name: /^Cloud/ }).selectOption('azure');
await page.getByLabel('Subscription id').fill('no id');
await page.getByLabel('Tenant id').fill('no id');
await page.getByLabel('Client id').fill('no id');
await page.getByLabel('Client secret').fill('s3cret-value');
await page.getByRole('button', { name: 'Connect', exact: true }).click();
await page.getByRole('alert').waitFor();
await checkReadable(page, 'connecting a cloud');

// Every other page is there, readable, and says what to do where it is empty.
for (const [path, name] of [['approvals', 'Approvals'], ['alerts', 'Alerts'], ['jobs', 'Jobs'], ['clouds', 'Clouds'], ['members', 'Members'], ['keys', 'API keys'], ['audit', 'Audit log'], ['new', 'New project'], ['projects/site/settings', 'site'], ['projects/site/schedules', 'site'], ['projects/site/logs', 'site'], ['projects/site/deployments', 'site']]) {
  await visit(`/teams/${team}/${path}`, name);
  await checkReadable(page, path);
}

// A few letters go anywhere.
await page.keyboard.press('Control+k');
await page.getByRole('combobox', { name: 'Project or page' }).fill('sit');
await page.getByRole('option', { name: 'site' }).waitFor();
await page.keyboard.press('Enter');
await page.waitForURL(/\/projects\/site$/);

// What is not there says so, and two tabs that load at once stay signed in.
await page.goto(`${origin}/teams/${team}/projects/nothing`);
await page.getByText('There is no project “nothing”').waitFor();
const tabs = await Promise.all([1, 2, 3, 4].map(() => context.newPage()));
await Promise.all(tabs.map(async (tab) => {
  for (let round = 0; round < 3; round += 1) await tab.goto(`${origin}/teams/${team}/projects`, { waitUntil: 'commit' });
  await tab.getByRole('link', { name: 'site', exact: true }).waitFor();
}));

// The end of the session.
await visit(`/teams/${team}/projects`, 'Projects');
await page.getByRole('button', { name: 'Sign out' }).click();
await page.waitForURL(/\/auth\/sign-in/);
await page.goto(`${origin}/teams/${team}/projects`);
await page.waitForURL(/\/auth\/sign-in\?next=/);

await browser.close();
assert.deepEqual(wrong, []);
