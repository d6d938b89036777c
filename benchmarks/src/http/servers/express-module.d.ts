/** As much of Express, which has no types of its own, as its server uses. */
declare module 'express' {
  import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

  interface Request extends IncomingMessage {
    body: unknown;
  }
  interface Response extends ServerResponse {
    type(type: string): this;
    send(body: string | Buffer): this;
    json(body: unknown): this;
  }
  type Handler = (request: Request, response: Response) => unknown;
  type Middleware = (request: Request, response: Response, next: () => void) => void;

  interface Express extends RequestListener {
    get(path: string, handler: Handler): this;
    post(path: string, before: Middleware, handler: Handler): this;
  }

  function express(): Express;
  namespace express {
    function raw(options: { type: string }): Middleware;
  }
  export default express;
}
