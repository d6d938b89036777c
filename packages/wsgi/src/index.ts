/**
 * A WSGI server on greenlets.
 * @module
 */
export { ClientGoneError, ResponseError, SendTimeoutError } from './errors.js';
export { type FetchHandler, fetchApp } from './gateway/fetch-app.js';
export type { ResponseLike } from './gateway/fetch-response.js';
export { type FileLike, FileWrapper } from './gateway/file-wrapper.js';
export type { Input } from './gateway/input.js';
export type {
  Application,
  Body,
  Environ,
  ErrorStream,
  StartResponse,
  Upgrade,
  Write,
} from './gateway/types.js';
export { type RefusalCode, RequestError } from './http1/request-error.js';
export type { Header } from './http1/response-head.js';
export { type AccessLog, type AccessRecord, combinedLine, jsonLine } from './server/access-log.js';
export type { WSGIServerOptions } from './server/options.js';
export { SendProgress, whenStalled } from './server/send-progress.js';
export { WSGIServer } from './server/wsgi-server.js';
