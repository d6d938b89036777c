/** Shows the engine where Node counts the async scopes that are open: it looks for the word that follows. */
import { AsyncResource } from 'node:async_hooks';

interface Search {
  beginAsyncDepth(): boolean;
  keepAsyncDepth(more: number): void;
  endAsyncDepth(): void;
}

export function findAsyncDepth(search: Search): void {
  if (!search.beginAsyncDepth()) return;
  const resource = new AsyncResource('TENDRIL', { requireManualDestroy: true });
  const enter = (more: number, within: () => void) =>
    resource.runInAsyncScope(() => {
      search.keepAsyncDepth(more);
      within();
      search.keepAsyncDepth(more);
    });
  enter(1, () => enter(2, () => {}));
  search.keepAsyncDepth(0);
  search.endAsyncDepth();
  resource.emitDestroy();
}
