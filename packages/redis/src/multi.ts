/** multi(): MULTI … EXEC, and pipelines, whose ends park. */
import type { TypeMapping } from 'redis';
import type { Send } from './lane.js';
import type { Raw, RawMulti } from './raw.js';
import { checkMulti, type Scope } from './rules.js';

type End = (this: RawMulti) => Promise<unknown[]>;

/**
 * node-redis's own object, whose commands only note what to send; `call` sends it and parks. It is all
 * or nothing: when a greenlet is killed after that, the transaction is carried out.
 */
export function parking(multi: RawMulti, call: (send: Send) => unknown): object {
  const { exec, execAsPipeline } = multi as { exec: End; execAsPipeline: End };
  const asTransaction = () => call(() => exec.call(multi));
  const asPipeline = () => call(() => execAsPipeline.call(multi));
  const either = (pipeline = false) => (pipeline ? asPipeline() : asTransaction());
  return Object.assign(multi, {
    exec: either,
    EXEC: either,
    execTyped: either,
    execAsPipeline: asPipeline,
    execAsPipelineTyped: asPipeline,
  });
}

/** One that is sent over whatever connection `call` gives. */
export function multiOf(
  raw: Raw,
  scope: Scope,
  typeMapping: TypeMapping | undefined,
  call: (send: Send) => unknown,
): object {
  let target = raw;
  const multi = new raw.Multi(
    async (commands, database) => {
      checkMulti(commands, scope, false);
      return target._executeMulti(commands, database);
    },
    async (commands, database) => {
      checkMulti(commands, scope, true);
      return target._executePipeline(commands, database);
    },
    typeMapping,
    raw._keyPrefix,
  );
  return parking(multi, (send) =>
    call((to) => {
      target = to;
      return send(to);
    }),
  );
}
