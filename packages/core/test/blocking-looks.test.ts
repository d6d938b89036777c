/** blocking(): its view looks as the client does, whatever cannot be changed about that. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { blocking, run } from '@tendril/core';
import { makeFetch, Session } from './clients.js';
import { leaveNothing } from './helpers.js';

leaveNothing();

describe('blocking() of what does not change', () => {
  const inner = { deep: async () => 'deep' };
  const makers: Record<string, () => { get(): Promise<number>; inner: typeof inner }> = {
    frozen: () => Object.freeze({ get: async () => 1, inner }),
    sealed: () => Object.seal({ get: async () => 1, inner }),
    closed: () => Object.preventExtensions({ get: async () => 1, inner }),
    'of fixed properties': () =>
      Object.defineProperties({} as never, {
        get: { value: async () => 1, enumerable: true },
        inner: { value: inner, enumerable: true },
      }),
    'a frozen function': () =>
      Object.freeze(Object.assign(() => {}, { get: async () => 1, inner })),
    'a namespace': () =>
      Object.freeze(Object.assign(Object.create(null), { get: async () => 1, inner })),
  };
  for (const [what, make] of Object.entries(makers))
    test(`${what}: its methods park, and it looks as it is`, () =>
      run(() => {
        // Asked for its looks before and after: some of that has to be shown as it cannot change.
        const client = make();
        const view = blocking(client);
        for (let i = 0; i < 2; i++) {
          assert.equal(view.get(), 1);
          assert.equal(view.get, view.get);
          assert.equal(view.inner, inner);
          assert.deepEqual(Reflect.ownKeys(view), Reflect.ownKeys(client));
          assert.deepEqual(Object.keys(view), Object.keys(client));
          assert.equal(Object.isFrozen(view), Object.isFrozen(client));
          assert.equal(Object.isSealed(view), Object.isSealed(client));
          assert.equal(Object.isExtensible(view), Object.isExtensible(client));
          assert.equal(Object.getPrototypeOf(view), Object.getPrototypeOf(client));
          const property = Object.getOwnPropertyDescriptor(view, 'get');
          assert.equal(property?.value, view.get);
          assert.equal(
            property?.writable,
            Object.getOwnPropertyDescriptor(client, 'get')?.writable,
          );
          assert.equal('get' in view, true);
          assert.equal('other' in view, false);
          assert.equal(({ ...view } as typeof view).get(), 1);
          assert.equal(JSON.stringify(view), JSON.stringify(client));
          assert.equal(
            Reflect.set(view, 'other', 1),
            Reflect.set({ ...client }, 'other', 1) && Object.isExtensible(client),
          );
          assert.equal(Reflect.deleteProperty(view, 'other'), true);
        }
      }));

  test('a client may lose and get properties while its view is in use', () =>
    run(() => {
      const client: Record<string, unknown> = { a: async () => 'a', b: 2 };
      const view = blocking(client) as unknown as Record<string, () => unknown>;
      Object.preventExtensions(view);
      assert.equal(Object.isExtensible(client), false);
      delete client.b;
      assert.deepEqual(Object.keys(view), ['a']);
      client.a = async () => 'new';
      assert.equal(view.a?.(), 'new');
      assert.equal(Reflect.defineProperty(view, 'a', { value: async () => 'again' }), true);
      assert.equal(view.a?.(), 'again');
      Object.freeze(view);
      assert.equal(Object.isFrozen(client), true);
      assert.equal(view.a?.(), 'again');
      assert.throws(() => {
        view.a = () => 1;
      }, TypeError);
      const heir = Object.create(view) as { c?: number };
      heir.c = 1;
      assert.equal(heir.c, 1);
      assert.equal('c' in client, false);
    }));

  test('util.inspect and JSON show the client', () =>
    run(() => {
      for (const client of [
        new Session('s'),
        Object.freeze(new Session('f')),
        Session,
        makeFetch('x'),
      ])
        for (let i = 0; i < 2; i++) {
          // Node 26 says of a Proxy that it is one, unless its target has a say in it.
          const shown = inspect(blocking(client)).replace(/^Proxy\((.*)\)$/s, '$1');
          assert.equal(shown, inspect(client));
          assert.equal(JSON.stringify(blocking(client)), JSON.stringify(client));
        }
      class Shown {
        toJSON() {
          return { shown: true };
        }
        [inspect.custom]() {
          return 'SHOWN';
        }
      }
      assert.equal(inspect({ in: blocking(new Shown()) }), '{ in: SHOWN }');
      assert.equal(JSON.stringify([blocking(new Shown())]), '[{"shown":true}]');
    }));
});
