import { ResourcePool, sleep } from '@tendril/core';

interface Thing {
  id: number;
  broken: boolean;
}

/** A pool of numbered things, and what became of them. */
export function things(
  options: {
    max?: number;
    connect?: number;
    acquireTimeout?: number;
    idleTimeout?: number;
    maxWaiting?: number;
  } = {},
) {
  let made = 0;
  const destroyed: number[] = [];
  const { connect = 0, ...rest } = options;
  const pool = new ResourcePool<Thing>({
    max: 2,
    ...rest,
    create() {
      if (connect > 0) sleep(connect);
      return { id: ++made, broken: false };
    },
    destroy: ({ id }) => void destroyed.push(id),
    isUsable: ({ broken }) => !broken,
  });
  return { pool, destroyed, made: () => made };
}
