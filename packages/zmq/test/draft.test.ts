import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { checkLeaks } from '@tendril/core/testing';
import { capability } from '@tendril/zmq';
import { inGreenlet, until } from './helpers.js';

describe('draft sockets', { skip: !capability.draft && 'not in this build' }, () => {
  let draft: typeof import('@tendril/zmq/draft');
  before(async () => {
    process.on('warning', () => {}); // the driver's
    draft = await import('@tendril/zmq/draft');
  });
  after(() => checkLeaks());

  test(
    'Client and Server',
    inGreenlet(() => {
      using server = new draft.Server({ linger: 0 });
      using client = new draft.Client({ linger: 0 });
      server.bind('tcp://127.0.0.1:*');
      client.connect(server.lastEndpoint as string);
      client.send('question');
      const [question, { routingId }] = server.receive({ timeout: 3000 });
      assert.equal(String(question), 'question');
      server.send('answer', { routingId, timeout: 1000 });
      assert.equal(String(client.receive({ timeout: 3000 })[0]), 'answer');
    }),
  );

  test(
    'Scatter and Gather',
    inGreenlet(() => {
      using gather = new draft.Gather({ linger: 0 });
      using scatter = new draft.Scatter({ linger: 0 });
      gather.bind('tcp://127.0.0.1:*');
      scatter.connect(gather.lastEndpoint as string);
      for (const each of ['1', '2', '3']) scatter.send(each);
      for (const each of ['1', '2', '3'])
        assert.equal(String(gather.receive({ timeout: 3000 })[0]), each);
    }),
  );

  test(
    'Radio and Dish',
    inGreenlet(() => {
      using radio = new draft.Radio({ linger: 0 });
      using dish = new draft.Dish({ linger: 0 });
      radio.bind('tcp://127.0.0.1:*');
      dish.join('music');
      dish.connect(radio.lastEndpoint as string);
      let heard: string | undefined;
      until(() => {
        radio.send('talk', { group: 'news' });
        radio.send('song', { group: 'music' });
        try {
          const [message, { group }] = dish.receive({ timeout: 50 });
          heard = `${group}: ${message}`;
          return true;
        } catch {
          return false;
        }
      });
      assert.equal(heard, 'music: song');
    }),
  );
});
