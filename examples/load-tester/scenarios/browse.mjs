// A user who logs in, looks at a few items and thinks in between.
import { sleep } from '@tendril/core';

/** @param {import('@tendril/example-load-tester').Session} session @param {number} user */
export default function browse(session, user) {
  session.get('/');
  const { body } = session.post('/login', { name: `user${user}` });
  session.check(body === `hello user${user}`, 'greets somebody else');
  for (let i = 0; i < 3; i++) {
    sleep(10 + Math.random() * 20);
    const item = session.get(`/item/${user * 10 + i}`).json();
    session.check(item.seenBy === `user${user}`, 'shown to somebody else');
  }
}
