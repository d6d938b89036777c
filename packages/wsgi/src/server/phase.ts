/**
 * What a connection is about.
 *
 *     phase      what is under way                           its time limit
 *     ---------  ------------------------------------------  -----------------------------------
 *     idle       nothing of the next request has come        keepAliveTimeout
 *     head       a head comes                                headersTimeout, from its first byte
 *     serving    the application runs                        none of ours
 *     body       the application waits for the body          bodyTimeout, and requestTimeout
 *     sending    the application waits for the client        sendTimeout, while it takes nothing
 *     flushing   a response goes out, another may follow     sendTimeout, while it takes nothing
 *     draining   the rest of an unread body is thrown away   bodyTimeout
 *     ending     the last response goes out                  sendTimeout, while it takes nothing
 *     lingering  all is out; what comes is thrown away       lingerTime, while it takes nothing
 *     away       the application has taken the stream over   none of ours
 *     closed
 */
export type Phase =
  | 'idle'
  | 'head'
  | 'serving'
  | 'body'
  | 'sending'
  | 'flushing'
  | 'draining'
  | 'ending'
  | 'lingering'
  | 'away'
  | 'closed';
