import assert from 'node:assert/strict';
import { spawn as spawnProcess } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run, sleep, spawn, wait } from '@tendril/core';
import { checkLeaks } from '@tendril/core/testing';
import type { Browser } from 'playwright-core';
import type { ChatEvent } from '#src/chat-event.js';
import {
  ChatServer,
  type ChatServerOptions,
  type Transport,
  transports,
} from '#src/chat-server.js';
import { limits, Room } from '#src/room.js';
import { launch, newPage, notices, openChat, say, sees } from './browser.js';
import { type Client, enter, post } from './clients.js';

const loopback = { host: '127.0.0.1', port: 0 };

/** Runs `use` in a greenlet while a chat is served. */
function served(use: (origin: string) => void, options?: ChatServerOptions): Promise<void> {
  return run(() => {
    using server = new ChatServer(loopback, options);
    server.start();
    use(`http://127.0.0.1:${server.port}`);
    server.stop({ timeout: 0 });
  });
}

/** The next event of this type; others are skipped. */
function next<T extends ChatEvent['type']>(client: Client, type: T): ChatEvent & { type: T } {
  for (let event = client.next(); event; event = client.next())
    if (event.type === type) return event as ChatEvent & { type: T };
  throw new Error(`the connection ended before ${type}`);
}

for (const transport of transports)
  describe(`the protocol by ${transport}`, () => {
    const join = (origin: string, name: string) => enter(origin, transport, name);

    test('members hear each other, and see who comes and goes', () =>
      served((origin) => {
        using ann = join(origin, 'ann');
        assert.deepEqual(next(ann, 'welcome').members, ['ann']);
        const bob = join(origin, 'bob');
        assert.deepEqual(next(bob, 'welcome').members, ['ann', 'bob']);
        assert.equal(next(ann, 'joined').name, 'bob');
        ann.say('hello <b>bob</b>');
        for (const client of [ann, bob]) {
          const { from, text } = next(client, 'message');
          assert.deepEqual([from, text], ['ann', 'hello <b>bob</b>']);
        }
        bob.say('/nick robert');
        assert.deepEqual(next(ann, 'renamed').to, 'robert');
        bob[Symbol.dispose]();
        assert.equal(next(ann, 'left').name, 'robert');
      }));

    test('newcomers get the last 50 messages, and a name of their own', () =>
      served((origin) => {
        // Many speakers, for one alone would be too fast.
        for (let i = 0; i < 6; i++) {
          using speaker = join(origin, `speaker${i}`);
          next(speaker, 'welcome');
          for (let j = 0; j < 10; j++) speaker.say(`${i * 10 + j}`);
          for (let j = 0; j < 10; j++) next(speaker, 'message');
        }
        using ann = join(origin, 'ann');
        using other = join(origin, 'ann');
        const { history } = next(ann, 'welcome');
        assert.deepEqual(
          history.map(({ text }) => text),
          Array.from({ length: limits.history }, (_, i) => `${i + 10}`),
        );
        assert.equal(next(other, 'welcome').name, 'ann-2');
        assert.equal(next(enter(origin, 'ws', 'ann', 'elsewhere'), 'welcome').history.length, 0);
      }));

    test('messages that are too long or too many are refused', () =>
      served((origin) => {
        using ann = join(origin, 'ann');
        next(ann, 'welcome');
        ann.say('x'.repeat(limits.text + 1));
        assert.match(next(ann, 'refused').text, /1000 characters/);
        const since = performance.now();
        let said = 0;
        let answer: ChatEvent | undefined;
        do {
          ann.say(`${said++}`);
          do answer = ann.next();
          while (answer && answer.type !== 'message' && answer.type !== 'refused');
        } while (answer?.type === 'message');
        assert.equal(answer?.type, 'refused');
        assert.match(answer.text, /not so fast/);
        const regained = ((performance.now() - since) / 1000) * limits.perSecond;
        assert.ok(said <= limits.burst + regained + 1, `${said} messages were taken`);
      }));
  });

describe('limits', () => {
  test('a room holds 100 members', () =>
    served((origin) => {
      const members = Array.from({ length: limits.members }, (_, i) =>
        enter(origin, 'ws', `m${i}`),
      );
      for (const member of members) next(member, 'welcome');
      assert.equal(enter(origin, 'ws', 'late').next(), undefined);
      assert.equal(wait(fetch(`${origin}/events?name=late&room=test`)).status, 503);
      assert.equal(wait(fetch(`${origin}/poll?name=late&room=test`)).status, 503);
      for (const member of members) member[Symbol.dispose]();
    }));

  test('a member that takes nothing has to go, and the others stay', () => {
    const room = new Room('test');
    const slow = room.join('slow');
    const quick = Array.from({ length: 21 }, (_, i) => room.join(`m${i}`));
    for (const member of quick)
      for (let i = 0; i < limits.burst; i++) {
        room.hear(member, `${i}`);
        for (const other of quick) while (!other.events.empty()) other.events.getNowait();
      }
    assert.equal(slow.events.isShutDown, true);
    assert.equal(slow.events.size, 0);
    assert.ok(quick.every(({ events }) => !events.isShutDown));
  });

  test('nonsense gets an answer', () =>
    served((origin) => {
      const get = (path: string) => wait(fetch(origin + path)).status;
      assert.deepEqual(
        [
          '/',
          '/chat.js',
          '/nothing',
          '/send',
          '/events',
          '/events?name=a%20b',
          '/socket?name=a',
        ].map(get),
        [200, 200, 404, 404, 400, 400, 426],
      );
      assert.equal(get('/poll?id=unknown'), 410);
      assert.equal(post(origin, '/send', '{'), 400);
      assert.equal(post(origin, '/send', { id: 'unknown', text: 'a' }), 410);
      assert.equal(post(origin, '/send', { id: 'unknown', text: 1 }), 400);
      assert.equal(post(origin, '/send', 'x'.repeat(20_000)), 413);
    }));

  const pollsOn = (pollGrace: number) =>
    served(
      (origin) => {
        using ann = enter(origin, 'ws', 'ann');
        const bob = enter(origin, 'poll', 'bob');
        next(bob, 'welcome');
        const polling = spawn(() => next(bob, 'message'));
        sleep(pollGrace + 200);
        ann.say('still there?');
        assert.equal(polling.get().text, 'still there?');
        assert.equal(next(ann, 'left').name, 'bob');
        assert.equal(bob.next(), undefined);
      },
      { pollGrace },
    );

  test('who stops polling has left a little later, who polls on has not', () =>
    // A machine that others keep busy may not bring bob back within the short one.
    pollsOn(300).catch(() => pollsOn(20_000)));
});

describe('in a browser', () => {
  let browser: Browser;
  let server: ChatServer;
  let origin: string;

  before(async () => {
    browser = await launch();
    server = new ChatServer(loopback);
    await run(() => server.start());
    origin = `http://127.0.0.1:${server.port}`;
  });
  after(async () => {
    await browser?.close();
    if (server) await run(() => server.stop({ timeout: 0 }));
  });

  const script = '<script>alert(1)</script><img src=x onerror=alert(2)>';

  async function conversation(transport: Transport, room: string): Promise<void> {
    const url = (name: string) => `${origin}/?${new URLSearchParams({ name, room, transport })}`;
    const [ann, bob] = await Promise.all([
      openChat(browser, url('ann'), transport),
      openChat(browser, url('bob'), transport),
    ]);
    await say(ann.page, 'hello bob');
    await sees(bob.page, 'hello bob');
    await say(bob.page, script);
    for (const { page } of [ann, bob]) await sees(page, script);
    await ann.page.reload();
    await ann.page.waitForSelector(`body[data-transport="${transport}"]`);
    await sees(ann.page, 'hello bob');
    await sees(ann.page, script);
    assert.equal(await ann.page.locator('#log script, #log img').count(), 0);
    await bob.page.close();
    await notices(ann.page, 'bob left');
    // A page that reloads may be back before it was seen to go, and is ann-2 then.
    const members = await ann.page.locator('#members li').allTextContents();
    assert.match(members.join(), /^ann[^b]*$/);
    assert.deepEqual([...ann.problems, ...bob.problems], []);
    await ann.page.close();
  }

  for (const transport of transports)
    test(`two pages talk by ${transport}`, () => conversation(transport, `by-${transport}`));

  test('without a WebSocket a page falls back to events, without these to polling', async () => {
    for (const transport of ['sse', 'poll'] as const) {
      const limited = new ChatServer(loopback, { transports: [transport] });
      await run(() => limited.start());
      const url = `http://127.0.0.1:${limited.port}/?name=ann`;
      const { page } = await openChat(browser, url, transport);
      await say(page, 'made it');
      await sees(page, 'made it');
      await page.close();
      await run(() => limited.stop({ timeout: 0 }));
    }
  });

  test('the form leads into a room', async () => {
    const page = await newPage(browser);
    await page.goto(origin);
    await page.fill('input[name=name]', 'cleo');
    await page.click('#enter button');
    await page.waitForSelector('body[data-transport="ws"]');
    await say(page, '/nick c');
    await notices(page, 'cleo is c now');
    await page.close();
  });
});

test('npm start: it says where it is, and stops when told to', async () => {
  const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
  const child = spawnProcess(process.execPath, [main, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout, 'data');
  assert.equal((await fetch(String(line).trim())).status, 200);
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
  const wrong = spawnProcess(process.execPath, [main, '--port', 'x'], { stdio: 'ignore' });
  assert.deepEqual(await once(wrong, 'exit'), [2, null]);
});

after(() => checkLeaks());
