/** The console as an operator meets it: Chromium in front of two replicas on one Redis, under load. */
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { freePort, RedisServer } from '../store/redis/servers.ts';
import { Replica, yamlOf } from '../supervisor/replica.ts';
import { until } from '../supervisor/until.ts';
import { openBrowser, Platforms, picture, startLoad, timed } from './scene.ts';

const ROUTES = `
  - { name: checkout, match: { path: /checkout/ }, old: backend-old, new: backend-new, sticky: [{ header: x-user-id }] }
  - { name: failing, match: { path: /failing/ }, old: backend-old, new: backend-new, judge: { adviseOnly: true, ceiling: 0 } }
`;

let browser: Browser;
let platforms: Platforms;
let backends: { old: string; new: string };
beforeAll(async () => {
  browser = await openBrowser();
  platforms = new Platforms();
  backends = await platforms.start();
});
afterAll(async () => {
  await browser.close();
  platforms.stop();
});

/** Findings of axe that would keep somebody out. */
async function seriousFindings(page: Page): Promise<string[]> {
  // By the debugger, which the page's policy does not stop.
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { axe: loaded } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> };
    };
    const { violations } = await loaded.run();
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`);
  });
}

describe('with two replicas on Redis', () => {
  let redis: RedisServer;
  let replicas: Replica[];
  let page: Page;
  let stopLoad: () => void;
  const faults: string[] = [];
  const row = (name: string) => page.locator(`[role=row]:has(button:text-is("${name}"))`);

  beforeAll(async () => {
    redis = await RedisServer.start();
    replicas = [new Replica(), new Replica()];
    for (const replica of replicas) {
      const yaml = yamlOf(backends, { routes: ROUTES, head: 'stateFile: last.json', workers: 1 });
      replica.configure(yaml.replace('store: file:state.json', `store: redis://127.0.0.1:${redis.port}`));
      await replica.start();
    }
    const [replica] = replicas as [Replica, Replica];
    await until('two replicas', async () => (await replica.status()).replicas.length === 2);
    stopLoad = startLoad(replica, ['/', '/checkout/a', '/failing/a'], 150);
    page = await browser.newPage({ viewport: { width: 1600, height: 900 }, colorScheme: 'dark' });
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith(replica.admin) && !request.url().startsWith('data:')) faults.push(request.url());
    });
    await page.goto(replica.admin);
    await row('checkout').waitFor();
  }, 60_000);
  afterAll(async () => {
    stopLoad();
    await page.close();
    await Promise.all(replicas.map((replica) => replica.dispose()));
    await redis.dispose();
  });

  async function open(name: string): Promise<void> {
    if ((await page.locator('.detail h2', { hasText: name }).count()) === 0)
      await row(name).locator('.name button').click();
    await page.locator('.detail h2', { hasText: name }).waitFor();
  }

  const verb = (text: string) => page.locator('.verbs button', { hasText: text });
  /** The whole number: 20% is not 0%. */
  const shows = (name: string, percent: string) =>
    row(name)
      .locator('.share .set', { hasText: new RegExp(`(?<![\\d.])${percent}`) })
      .waitFor();

  async function set(name: string, percent: number, reason = ''): Promise<void> {
    await open(name);
    await verb('Set').click();
    await page.getByLabel('Percent', { exact: true }).fill(String(percent));
    await page.locator('.moves b', { hasText: `${percent}%` }).waitFor();
    if (reason !== '') await page.getByLabel(/^Reason/).fill(reason);
  }
  const submit = () => page.locator('dialog button[type=submit]').click();

  test('raising asks for a reason, shows first what moves, and is on screen at once', async () => {
    await set('checkout', 20);
    expect(await page.locator('dialog button[type=submit]').isDisabled()).toBe(true);
    expect(await page.locator('.moves').innerText()).toMatch(
      /new 0% → 20%[^]*backend-new: 0 → [\d.]+ req\/s[^]*20% of users change sides, told apart by header x-user-id[^]*Headroom: 1 endpoint/,
    );
    await page.getByLabel(/^Reason/).fill('CHG-881');
    await timed('set', submit, () => shows('checkout', '20%'));
    await page.locator('.notice.good', { hasText: '0% → 20%' }).waitFor();
    // The judge's first word may stand above it.
    await page.locator('.happenings li', { hasText: /set checkout 0 → 20%[^]*CHG-881/ }).waitFor();
    await page.locator('.notice', { hasText: '2/2 applied' }).waitFor();
  });

  test('steady: numbers of both sides come in beside each other', async () => {
    await until('traffic on new', async () =>
      /[1-9]/.test(await row('checkout').locator('.share .actual').innerText()),
    );
    await until('the charts', async () => (await page.locator('.chart canvas').count()) === 4);
    expect(await seriousFindings(page)).toEqual([]);
    await picture(page, 'steady');
  });

  test('undo, freeze, unfreeze', async () => {
    await timed(
      'undo',
      () => page.locator('.notice button', { hasText: 'Undo' }).click(),
      () => shows('checkout', '0%'),
    );
    await open('checkout');
    await timed(
      'freeze',
      () => verb('Freeze').click(),
      () => row('checkout').locator('.frozen').waitFor(),
    );
    await timed(
      'unfreeze',
      () => verb('Unfreeze').click(),
      () => row('checkout').locator('.frozen').waitFor({ state: 'detached' }),
    );
  });

  test('a ramp: start, pause, resume, step, promote', async () => {
    await open('checkout');
    await verb('Ramp').click();
    await page.getByLabel(/^Template/).fill('1:1h, 5:1h, 50:1h, 100');
    await page.getByLabel(/^Reason/).fill('the night');
    await timed('ramp', submit, () => row('checkout').locator('.mark', { hasText: 'ramping' }).waitFor());
    await page.getByRole('group', { name: 'Ramp, step 1 of 4' }).waitFor();
    // Beside an open route the table has no column for it.
    expect(await row('checkout').locator('.name').innerText()).toMatch(/1\/4 next in (59:\d\d|1 h 0 min)/);
    // Before midnight the next step is tomorrow's.
    expect(await page.locator('.detail .ramp').innerText()).toMatch(/5% at (?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d$/);
    await picture(page, 'ramping');
    expect(await seriousFindings(page)).toEqual([]);
    await verb('Set').click();
    await page.locator('dialog', { hasText: 'Its ramp, at step 1 of 4, ends with this' }).waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    await timed(
      'pause',
      () => verb('Pause').click(),
      () => row('checkout').locator('.mark', { hasText: 'paused' }).waitFor(),
    );
    await verb('Resume').click();
    await page.getByLabel(/^Reason/).fill('go on');
    await timed('resume', submit, () => row('checkout').locator('.mark', { hasText: 'ramping' }).waitFor());
    await verb('Step').click();
    await page.getByLabel(/^Reason/).fill('looks good');
    await timed('step', submit, () => shows('checkout', '5%'));
    await verb('Promote').click();
    await page.getByLabel(/^Reason/).fill('done');
    await timed('promote', submit, () => shows('checkout', '100%'));
  });

  test('roll back one by one click, and by one key', async () => {
    await set('checkout', 100, 'all of it');
    await submit();
    await shows('checkout', '100%');
    await timed(
      'roll back',
      () => row('checkout').locator('button.rollback').click(),
      () => shows('checkout', '0%'),
    );
    await row('checkout').locator('.mark', { hasText: 'rolled back' }).waitFor();
    await set('demo', 30, 'try');
    await submit();
    await shows('demo', '30%');
    await timed(
      'roll back by key',
      () => page.keyboard.press('r'),
      () => shows('demo', '0%'),
    );
  });

  test('rows stay under the pointer when what they show changes, and are sorted when it has gone', async () => {
    const names = () => page.locator('.row .name button').allInnerTexts();
    await page.mouse.move(1, 1);
    await until('what was rolled back first', async () => (await names())[0] === 'demo');
    await row('failing').hover();
    const before = await names();
    const [replica] = replicas as [Replica, Replica];
    await replica.setWeight('demo', 5);
    await shows('demo', '5%');
    expect(await names()).toEqual(before);
    await page.mouse.move(1, 1);
    await until('the order of trouble', async () => (await names()).join() !== before.join());
    expect((await names())[0]).toBe('checkout');
    await replica.setWeight('demo', 0);
    await shows('demo', '0%');
  });

  test('breach: new fails, and the first thing one reads is that it does', async () => {
    await set('failing', 50, 'see it fail');
    await submit();
    await shows('failing', '50%');
    await page.locator('.headline .bad', { hasText: 'failing' }).waitFor({ timeout: 20_000 });
    await row('failing').locator('.mark', { hasText: 'breach' }).waitFor();
    expect(await page.locator('.headline .bad').innerText()).toMatch(/is worse on new and still 50% there.*Roll back/s);
    expect(await seriousFindings(page)).toEqual([]);
    await picture(page, 'breach');
  });

  test('roll back all by one click, and go there by key', async () => {
    await set('demo', 10, 'again');
    await submit();
    await shows('demo', '10%');
    await timed(
      'roll back in the headline',
      () => page.locator('.headline .bad button.rollback').click(),
      () => shows('failing', '0%'),
    );
    await page
      .locator('.headline .warn', { hasText: /failing\s*was rolled back at \d\d:\d\d:\d\d by local$/ })
      .waitFor();
    await page.keyboard.press('R');
    await timed(
      'roll back all',
      () => page.keyboard.press('Enter'),
      () => shows('demo', '0%'),
    );
    await page.locator('.notice.good', { hasText: 'routes are on old' }).waitFor();
  });

  test('light, narrow, and by keys alone', async () => {
    await page.keyboard.press('Escape');
    await page.locator('button[aria-label="Switch to light"]').click();
    expect(await seriousFindings(page)).toEqual([]);
    await picture(page, 'light');
    await page.setViewportSize({ width: 400, height: 800 });
    expect(await seriousFindings(page)).toEqual([]);
    await picture(page, 'narrow');
    // 320 is a screen of 1280 at 400 %.
    for (const width of [400, 320]) {
      await page.setViewportSize({ width, height: 800 });
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    }
    await page.setViewportSize({ width: 1600, height: 900 });
    await page.locator('button[aria-label="Switch to dark"]').click();
    await page.keyboard.press('?');
    await page.locator('dialog.keys').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog.keys').waitFor({ state: 'detached' });
    await page.keyboard.press('j');
    await page.locator('.row.selected').waitFor();
    await page.keyboard.press('Escape');
  });

  test('charts change their colours with the page', async () => {
    await open('demo');
    await until('the charts', async () => (await page.locator('.chart canvas').count()) === 4);
    const isDrawnIn = (color: string) =>
      page.evaluate((wanted) => {
        const canvas = document.querySelector<HTMLCanvasElement>('.chart canvas');
        const { width = 0, height = 0 } = canvas ?? {};
        const { data } = canvas?.getContext('2d')?.getImageData(0, 0, width, height) ?? { data: [] };
        for (let i = 0; i < data.length; i += 4) {
          const pixel = [data[i], data[i + 1], data[i + 2]].map((part) => part?.toString(16).padStart(2, '0')).join('');
          if (data[i + 3] === 255 && `#${pixel}` === wanted) return true;
        }
        return false;
      }, color);
    const grid = () => page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue('--grid'));
    const dark = await grid();
    await until('dark lines', () => isDrawnIn(dark));
    await page.locator('button[aria-label="Switch to light"]').click();
    const light = await grid();
    expect(light).not.toBe(dark);
    await until('light lines', () => isDrawnIn(light));
    expect(await isDrawnIn(dark)).toBe(false);
    await page.locator('button[aria-label="Switch to dark"]').click();
  });

  test('what another has changed while the dialog was open is said, and is not overwritten unseen', async () => {
    await set('demo', 30, 'as I saw it');
    await replicas[1]?.setWeight('demo', 80);
    await page.locator('dialog [role=alert]', { hasText: 'Changed meanwhile: 80% to new' }).waitFor();
    expect(await page.locator('dialog button[type=submit]').isDisabled()).toBe(true);
    await page.locator('dialog button', { hasText: 'Go on from there' }).click();
    await page.locator('.moves b', { hasText: 'new 80% → 30%' }).waitFor();
    await submit();
    await shows('demo', '30%');
  });

  test('what moves is told from where a ramp begins, and to where a rolled back route goes', async () => {
    await open('demo');
    await verb('Ramp').click();
    await page.locator('.moves b', { hasText: 'new 30% → 50%' }).waitFor();
    await page.getByLabel(/^Template/).fill('careful');
    await page.locator('.moves', { hasText: 'Begins at its first step that is not below 30%' }).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('r');
    await shows('demo', '0%');
    await verb('Resume').click();
    await page.locator('.moves b', { hasText: 'new 0% → 30%' }).waitFor();
    await page.getByLabel(/^Reason/).fill('back again');
    await page.getByLabel('even after two rollbacks').check();
    await submit();
    await shows('demo', '30%');
  });

  test('what is refused is there again to be put right, with its reason', async () => {
    await open('demo');
    await verb('Ramp').click();
    await page.getByLabel(/^Template/).fill('40:5x, 100');
    await page.getByLabel(/^Reason/).fill('typed once');
    await submit();
    await page.locator('dialog .fault', { hasText: 'must be a duration' }).waitFor();
    expect(await page.getByLabel(/^Reason/).inputValue()).toBe('typed once');
    await page.getByLabel(/^Template/).fill('40:5m, 100');
    await submit();
    await shows('demo', '40%');
  });

  test('a percentage that is none is said before anything is sent', async () => {
    await set('demo', 10);
    for (const wrong of ['', '101', '12.34567']) {
      await page.getByLabel('Percent', { exact: true }).fill(wrong);
      await page.locator('dialog .fault', { hasText: 'at most four decimals' }).waitFor();
      expect(await page.locator('dialog button[type=submit]').isDisabled()).toBe(true);
      expect(await page.locator('dialog button[type=submit]').innerText()).toBe('Set');
    }
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
  });

  test('what happened while nobody looked at the page is among the events', async () => {
    const look = (hidden: boolean) =>
      page.evaluate((isHidden) => {
        Object.defineProperty(document, 'hidden', { configurable: true, value: isHidden });
        document.dispatchEvent(new Event('visibilitychange'));
      }, hidden);
    await look(true);
    await replicas[1]?.setWeight('demo', 35);
    await until('the change here', async () => (await replicas[0]?.route('demo'))?.weight === 35);
    await look(false);
    await page.locator('.happenings li', { hasText: 'set demo 40 → 35%' }).waitFor();
  });

  test('nothing failed on the page, and nothing was asked for elsewhere', () => {
    expect(faults).toEqual([]);
  });
}, 60_000);

describe('when something is away', () => {
  let redis: RedisServer;
  let replica: Replica;
  let page: Page;
  let stopLoad: () => void;
  const row = (name: string) => page.locator(`[role=row]:has(button:text-is("${name}"))`);
  const shows = (percent: string) =>
    row('demo')
      .locator('.share .set', { hasText: new RegExp(`(?<![\\d.])${percent}`) })
      .waitFor();

  // Anew for each, so that one that failed can be tried once more.
  beforeEach(async () => {
    redis = await RedisServer.start();
    replica = new Replica();
    const yaml = yamlOf(backends, { head: 'stateFile: last.json', workers: 1 });
    replica.configure(yaml.replace('store: file:state.json', `store: redis://127.0.0.1:${redis.port}`));
    await replica.start();
    await replica.setWeight('demo', 40);
    stopLoad = startLoad(replica, ['/'], 50);
    page = await browser.newPage({ viewport: { width: 1600, height: 900 }, colorScheme: 'dark' });
    await page.goto(replica.admin);
    await shows('40%');
  }, 60_000);
  afterEach(async () => {
    stopLoad();
    await page.close();
    await replica.dispose();
    await redis.dispose();
  }, 60_000);

  test('store away: said first, and the way back still works', async () => {
    await redis.kill();
    await page.locator('.headline .bad', { hasText: 'The store has not answered' }).waitFor({ timeout: 20_000 });
    expect(await seriousFindings(page)).toEqual([]);
    await picture(page, 'store-away');
    await timed(
      'roll back without store',
      () => row('demo').locator('button.rollback').click(),
      () => shows('0%'),
    );
  });

  test('a replica that is gone leaves what it said, greyed and with its age', async () => {
    await replica.stop();
    await page.locator('.fresh.lost', { hasText: 'old' }).waitFor({ timeout: 20_000 });
    await page.locator('.headline .bad', { hasText: 'No word from this replica' }).waitFor();
    expect(await page.locator('main').evaluate((element) => getComputedStyle(element).filter)).toContain('grayscale');
  });
}, 60_000);

describe('with 500 routes', () => {
  let replica: Replica;
  let page: Page;
  let stopLoad: () => void;
  beforeEach(async () => {
    replica = new Replica();
    const names = Array.from({ length: 500 }, (_, i) => `route-${String(i).padStart(3, '0')}`);
    names[300] = 'route-300-'.padEnd(63, 'x');
    const routes = names.map(
      (name) => `  - { name: ${name}, match: { path: /${name}/ }, old: backend-old, new: backend-new, weight: 50 }`,
    );
    replica.configure(yamlOf(backends, { routes: routes.join('\n'), workers: 1 }));
    await replica.start();
    stopLoad = startLoad(
      replica,
      names.map((name) => `/${name}/`),
      300,
    );
    page = await browser.newPage({ viewport: { width: 1600, height: 900 }, colorScheme: 'dark' });
    await page.goto(replica.admin);
  }, 60_000);
  afterEach(async () => {
    stopLoad();
    await page.close();
    await replica.dispose();
  });

  test('few rows are in the page, all can be reached, and it stays small', async () => {
    await page.locator('.row').first().waitFor();
    await page.locator('.share .actual', { hasText: /[1-9]/ }).first().waitFor();
    expect(await page.locator('.row').count()).toBeLessThan(40);
    expect(await page.locator('[role=table]').getAttribute('aria-rowcount')).toBe('502');
    await picture(page, '500-routes');
    expect(await seriousFindings(page)).toEqual([]);
    await page.locator('.scroller').evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await page
      .locator('.name button', { hasText: 'demo' })
      .or(page.locator('.name button', { hasText: 'route-499' }))
      .first()
      .waitFor();
    await page.getByLabel('Filter routes').fill('route-250');
    await until('one row', async () => (await page.locator('.row').count()) === 1);
  });

  test('a name as long as names may be leaves a narrow page as wide as it is', async () => {
    await page.setViewportSize({ width: 320, height: 800 });
    await page.getByLabel('Filter routes').fill('route-300');
    await page.locator('.name button', { hasText: 'route-300' }).click();
    await page.locator('.detail h2', { hasText: 'route-300' }).waitFor();
    await picture(page, 'long-name');
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
  });

  test('eight pages of one browser load, the youngest are live, and an old one is again when it is used', async () => {
    const context = await browser.newContext();
    const pages: Page[] = [];
    for (let i = 0; i < 8; i++) {
      const next = await context.newPage();
      await next.goto(replica.admin);
      await next.locator('.fresh.live').waitFor();
      pages.push(next);
    }
    const [first, , , , fifth, sixth] = pages as [Page, Page, Page, Page, Page, Page];
    await first.locator('.headline .bad', { hasText: 'Too many pages' }).waitFor();
    await first.locator('.headline').click();
    await first.locator('.fresh.live').waitFor();
    // It is the youngest now.
    await fifth.locator('.fresh.gaveWay').waitFor();
    await sixth.close();
    await fifth.locator('.fresh.live').waitFor();
    await context.close();
  });
}, 60_000);

describe('with endpoints that are not well', () => {
  test('which, why and since when stands in the route', async () => {
    const replica = new Replica();
    const yaml = yamlOf(backends, { workers: 1 });
    const dead = `127.0.0.1:${await freePort()}`;
    replica.configure(
      yaml.replace(
        `static: ["${backends.new}"] }`,
        `static: ["${backends.new}", "${dead}"] }, health: { tcp: {}, interval: 200ms }`,
      ),
    );
    const page = await browser.newPage({ viewport: { width: 1600, height: 900 }, colorScheme: 'dark' });
    try {
      await replica.start();
      await page.goto(replica.admin);
      await page.locator('.row .name button', { hasText: 'demo' }).click();
      await replica.setWeight('demo', 1);
      await page.locator('.headline .warn', { hasText: '1 of 2 endpoints of backend-new does not serve' }).waitFor();
      const side = page.locator('.backends .new');
      await side.locator('.ailing', { hasText: dead }).waitFor();
      expect(await side.innerText()).toMatch(
        new RegExp(`2 endpoints, 1 healthy[^]*✖ unhealthy ${dead} for \\d+ s\\s+\\S+[^]*${backends.new}`),
      );
      expect(await seriousFindings(page)).toEqual([]);
      await picture(page, 'endpoints');
    } finally {
      await page.close();
      await replica.dispose();
    }
  }, 60_000);
});

describe('with a replica that is slow to say who is there', () => {
  test('the page says so and asks again, and does not ask for a token that nobody needs', async () => {
    const replica = new Replica();
    replica.configure(yamlOf(backends, { workers: 1 }));
    const page = await browser.newPage();
    try {
      await replica.start();
      await page.route('**/v1/session', (route) => route.abort(), { times: 1 });
      await page.route('**/v1/session', (route) => route.fulfill({ status: 503, json: { detail: 'starting' } }), {
        times: 1,
      });
      await page.goto(replica.admin);
      await page.getByRole('status').filter({ hasText: 'does not answer yet' }).waitFor();
      expect(await page.getByLabel('Token').count()).toBe(0);
      await page.locator('.row').waitFor();
    } finally {
      await page.close();
      await replica.dispose();
    }
  }, 60_000);
});

describe('with tokens', () => {
  test('a token opens the page, a wrong one does not, and leaving closes it', async () => {
    const replica = new Replica();
    const hash = '8c6976e5b5410415bde908bd4dee15dfb167a9c873fc4bb8a81f6f2ab448a918';
    const yaml = yamlOf(backends, { workers: 1 }).replace(
      'admin: { address: "127.0.0.1:0" }',
      `admin: { address: "127.0.0.1:0", tokens: [{ name: otto, role: viewer, sha256: ${hash} }] }`,
    );
    replica.configure(yaml);
    const page = await browser.newPage();
    try {
      await replica.start();
      await page.goto(replica.admin);
      await page.getByLabel('Token').fill('wrong');
      await page.keyboard.press('Enter');
      await page.locator('.fault', { hasText: 'none of those' }).waitFor();
      await page.getByLabel('Token').fill('admin');
      await page.keyboard.press('Enter');
      await page.locator('.row').waitFor();
      // Viewers are shown nothing that they may not do.
      expect(await page.locator('button.rollback').count()).toBe(0);
      expect(await page.evaluate(() => document.cookie)).toBe('');
      await page.locator('button', { hasText: 'otto: leave' }).click();
      await page.getByLabel('Token').waitFor();
    } finally {
      await page.close();
      await replica.dispose();
    }
  }, 60_000);

  test('a session that ended with its replica asks for the token again, and is not told for silence', async () => {
    const replica = new Replica();
    const hash = '8c6976e5b5410415bde908bd4dee15dfb167a9c873fc4bb8a81f6f2ab448a918';
    const yaml = yamlOf(backends, { workers: 1 }).replace(
      'admin: { address: "127.0.0.1:0" }',
      `admin: { address: "127.0.0.1:${await freePort()}", tokens: [{ name: otto, role: viewer, sha256: ${hash} }] }`,
    );
    replica.configure(yaml);
    const page = await browser.newPage();
    const enter = async (): Promise<void> => {
      await page.getByLabel('Token').fill('admin');
      await page.keyboard.press('Enter');
      await page.locator('.row').waitFor();
    };
    try {
      await replica.start();
      await page.goto(replica.admin);
      await enter();
      await replica.stop();
      await page.locator('.fresh.lost').waitFor();
      await replica.start();
      await enter();
      await page.locator('.fresh.live').waitFor();
    } finally {
      await page.close();
      await replica.dispose();
    }
  }, 60_000);
});
