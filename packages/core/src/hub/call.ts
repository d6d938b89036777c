import { type AsyncContext, captureContext } from '../loop/async-context.js';

/** Something that the hub runs once, outside any task, in the context of who made it. */
export abstract class Call {
  context: AsyncContext = captureContext();

  /** What it throws is reported. */
  abstract run(): void;
}
